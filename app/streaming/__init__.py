"""What needs Faust or runs inside a worker process. The computation itself is in ``app.processing``.

Start with ``faust_app`` (how a worker is assembled), then ``roles.risk`` and ``delivery.order_of_writes``.
"""
