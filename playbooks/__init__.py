"""The playbooks plane: an alert becomes an incident, and an incident is answered.

The flow:
1. ``open_incident`` takes an alert (port ``Alerts``) and starts its timeline and clocks.
2. The incident moves 待研判 → 已确认 → 遏制 → 根除 → 恢复 → 总结 → 关闭.
3. ``plan_run`` reads a CACAO 2.0 playbook, resolves variables and targets, and shows the diff.
4. The plan's hash is approved by another person; a changed plan needs a new approval.
5. The runner works through the steps: intent durable, call, read back, outcome durable.
6. ``report_incident`` writes it all down, with what the law wants and when.
Start reading at ``core/incident.py``, ``core/plan.py`` and ``core/execution.py``.
"""
