"""Run all cells of a JSON file in one namespace, and print the value of each cell's last line, as a notebook does."""

import ast
import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    known: dict[str, Any] = {"__name__": "__main__"}
    for source in json.loads(Path(sys.argv[1]).read_text()):
        lines = ast.parse(source).body
        last = lines.pop() if isinstance(lines[-1], ast.Expr) else None
        exec(compile(ast.Module(lines, []), "cell", "exec"), known)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), known)
            if value is not None:
                print(">", str(value).replace("\n", " | "), flush=True)
