#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Nova builds each exception class of rpc/exception_list.h that has a template from the template's keyword arguments alone, and fills in its own text:
replies carry no text for those. Also: name, number and parent of every class are nova's."""
import ast
import os
import re
import sys

from nova import exception

TOP = os.path.abspath(os.environ.get("G_TEST_SRCDIR") or os.path.join(os.path.dirname(__file__), "..", ".."))
ROW = re.compile(r'X\((\w+), (\w+), "(\w+)", (\w+), (\d+), (NULL|"(?:[^"\\]|\\.)*")\)')


NEVER_SENT = ("InstanceFaultRollback", "DuplicateRecord")


def strict(self):
    raise ValueError(f"{type(self).__name__}: the arguments do not fill its text: {self.msg_fmt}")


def check(name, number, parent, template):
    cls = getattr(exception, name, None)
    if cls is None:
        return f"{name} is no class of nova.exception"
    if cls.code != number:
        return f"{name} has number {cls.code}, not {number}"
    if parent not in [base.__name__ for base in cls.__mro__]:
        return f"{name} is no {parent}"
    if template is None:
        return None
    kwargs = {key: 7 for key in re.findall(r"%\((\w+)\)s", template)}
    try:
        made = cls(code=number, **kwargs)
    except Exception as error:  # pylint: disable=broad-except
        return f"{name}({', '.join(kwargs)}): {error}"
    return None if made.format_message() and "%(" not in made.format_message() else f"{name}: {made.format_message()}"


def main():
    exception.NovaException._log_exception = strict  # pylint: disable=protected-access
    with open(os.path.join(TOP, "rpc", "exception_list.h"), encoding="utf-8") as file:
        rows = ROW.findall(file.read())
    names = {code: name for code, _module, name, _parent, _number, _template in rows}
    found = []
    for _code, module, name, parent, number, template in rows:
        if module == "NOVA" and name not in NEVER_SENT:
            found.append(check(name, int(number), names[parent], None if template == "NULL" else ast.literal_eval(template)))
    found = [line for line in found if line]
    print("1..1")
    print(f"{'not ok' if found or len(rows) < 300 else 'ok'} 1 - {len(rows)} exception classes")
    for line in found:
        print("# " + line)
    return 1 if found else 0


sys.exit(main())
