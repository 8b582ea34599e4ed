{{/* Where scoring workers find their models: in the image, on a claim, or pulled before each start; called with .Values.models. */}}
{{- define "fraudstream.modelsEnv" -}}
{{- if ne .source "image" }}
- { name: FRAUDSTREAM_MODEL_DIR, value: /srv/models }
- { name: FRAUDSTREAM_POLICY_DIR, value: /srv/models/policies }
{{- end }}
{{- end }}

{{- define "fraudstream.modelsMount" -}}
{{- if ne .source "image" }}
- { name: models, mountPath: /srv/models, readOnly: true }
{{- end }}
{{- end }}

{{- define "fraudstream.modelsVolume" -}}
{{- if eq .source "volume" }}
- name: models
  persistentVolumeClaim: { claimName: {{ .volume.claimName }}, readOnly: true }
{{- else if eq .source "artifact" }}
- name: models
  emptyDir: { sizeLimit: {{ .artifact.sizeLimit }} }
{{- with .artifact.secretName }}
- name: models-login
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{ key: .dockerconfigjson, path: config.json }]
{{- end }}
{{- end }}
{{- end }}

{{/* A new artifact is a new reference: the pods roll, the image stays. */}}
{{- define "fraudstream.pullModels" -}}
{{- if eq .source "artifact" }}
{{- with .artifact }}
initContainers:
  - name: models
    image: {{ .image }}
    # oras looks for a login in the home directory, which this user does not have.
    env:
      - { name: HOME, value: /tmp }
    args:
      - pull
      - --output=/srv/models
      {{- if .secretName }}
      - --registry-config=/run/secrets/models/config.json
      {{- end }}
      - {{ .reference }}
    resources:
      requests: { cpu: 100m, memory: 64Mi, ephemeral-storage: {{ .sizeLimit }} }
      limits: { memory: 256Mi, ephemeral-storage: {{ .sizeLimit }} }
    {{- include "fraudstream.container" $ | nindent 4 }}
    volumeMounts:
      - { name: models, mountPath: /srv/models }
      - { name: tmp, mountPath: /tmp }
      {{- if .secretName }}
      - { name: models-login, mountPath: /run/secrets/models, readOnly: true }
      {{- end }}
{{- end }}
{{- end }}
{{- end }}
