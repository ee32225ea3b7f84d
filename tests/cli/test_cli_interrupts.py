"""Ctrl-C is heard where Python alone would go on: in a function that C calls back."""

import subprocess
import sys

PROGRAM = """
import ctypes, time
from hiermod.cli import output

output.heed()

@ctypes.CFUNCTYPE(None)
def callback():
    raise KeyboardInterrupt

@ctypes.CFUNCTYPE(None)
def mistaken():
    raise ValueError("not a Ctrl-C")

mistaken()
callback()
try:
    for _ in range(600):
        time.sleep(0.1)
    print("went on")
except KeyboardInterrupt:
    print("heard")
    output.leave_quietly()
    mistaken()
"""


def test_a_ctrl_c_in_a_callback_is_raised_again():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout == "heard\n"
    assert done.stderr.count("ValueError: not a Ctrl-C") == 1  # other mistakes are told, until the process ends
    assert "KeyboardInterrupt" not in done.stderr
