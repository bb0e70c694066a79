"""The commands of `cdp`, a module for each thing that an operator looks after."""
