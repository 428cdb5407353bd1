"""Works tasks in Python: ./sluice work QUEUE --handler 'lines:python3 examples/lines/handler.py'

One task per line of standard input, as a JSON object; one answer per task on standard output, the
same. What is printed on standard error is logged by the worker, with the id of the task.
"""

import json
import sys


def work(task):
    """Returns the result; what it raises is a failed attempt, which is tried again."""
    payload = task["payload"]
    if isinstance(payload, dict) and payload.get("impossible"):
        return {"outcome": "fail", "message": "it says so itself"}
    print("working", payload, file=sys.stderr)
    return {"outcome": "done", "result": {"length": len(json.dumps(payload))}}


for line in sys.stdin:
    task = json.loads(line)
    try:
        answer = work(task)
    except Exception as error:
        answer = {"outcome": "retry", "message": repr(error)}
    print(json.dumps({"id": task["id"], **answer}), flush=True)
