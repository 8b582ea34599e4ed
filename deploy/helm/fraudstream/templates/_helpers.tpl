{{/* Labels that select the pods of a component; called with (dict "root" $ "component" NAME). */}}
{{- define "fraudstream.selector" -}}
app.kubernetes.io/name: fraudstream
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of every object; called as fraudstream.selector. */}}
{{- define "fraudstream.labels" -}}
{{ include "fraudstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "fraudstream.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Settings as strings. toJson: a number of a values file is a float, which would be printed as 1e+06. */}}
{{- define "fraudstream.strings" -}}
{{- range $name, $value := . }}
{{ $name }}: {{ kindIs "string" $value | ternary $value ($value | toJson) | quote }}
{{- end }}
{{- end }}

{{/* The same as a list of variables. */}}
{{- define "fraudstream.variables" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ kindIs "string" $value | ternary $value ($value | toJson) | quote }}
{{- end }}
{{- end }}

{{/* Environment that programs share: the ConfigMap, and headers for the collector of traces. */}}
{{- define "fraudstream.sharedEnv" -}}
envFrom:
  - configMapRef: { name: {{ .Release.Name }} }
{{- end }}

{{- define "fraudstream.tracingEnv" -}}
{{- if .secretName }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: { secretKeyRef: { name: {{ .secretName }}, key: {{ .key }} } }
{{- end }}
{{- end }}

{{/* Pods roll when their configuration changes, which Kubernetes does not do by itself. */}}
{{- define "fraudstream.checksum" -}}
checksum/config: {{ list .Values.settings .Values.files | toJson | sha256sum }}
{{- end }}

{{/* What every pod has in common; called as fraudstream.selector. */}}
{{- define "fraudstream.pod" -}}
automountServiceAccountToken: false
# Otherwise a Service named fraudstream-… adds variables with our prefix, which programs refuse as unknown settings.
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.scheduling }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Pods of a component avoid each other's hosts and are balanced over zones. */}}
{{- define "fraudstream.spread" -}}
affinity:
  podAntiAffinity:
    {{- if eq .root.Values.scheduling.hostAntiAffinity "required" }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels: {{- include "fraudstream.selector" . | nindent 12 }}
    {{- else }}
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {{- include "fraudstream.selector" . | nindent 14 }}
    {{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: {{ .root.Values.scheduling.zoneSpread }}
    labelSelector:
      matchLabels: {{- include "fraudstream.selector" . | nindent 8 }}
{{- end }}

{{- define "fraudstream.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: ["ALL"] }
{{- end }}

{{/* Files that programs read; called with (dict "root" $ "secretName" NAME). */}}
{{- define "fraudstream.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .secretName }}
- { name: secrets, mountPath: /run/secrets/fraudstream, readOnly: true }
{{- end }}
{{- if .root.Values.files }}
- { name: files, mountPath: /etc/fraudstream, readOnly: true }
{{- end }}
{{- end }}

{{- define "fraudstream.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 128Mi }
{{- if .secretName }}
- name: secrets
  secret: { secretName: {{ .secretName }}, defaultMode: 0440 }
{{- end }}
{{- if .root.Values.files }}
- name: files
  configMap: { name: {{ .filesName | default (print .root.Release.Name "-files") }} }
{{- end }}
{{- end }}
