"""Where data comes from and goes to: two files per system, a pure `.py` and a declaring `.yaml`."""
