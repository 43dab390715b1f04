"""The way of a message: enqueue, gate, route, dispatch, receipt, reconcile. One file a stage."""
