"""The command line and the programs that stand on their own."""
