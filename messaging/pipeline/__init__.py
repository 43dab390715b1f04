"""The way of a message: enqueue, gate, route, dispatch, receipt, reconcile; and what keeps it going when something breaks.

A stage is a module of its name, with the parts that it is made of beside it (docs/architecture.md tells which).
"""
