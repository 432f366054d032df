"""Pages' templates compiled once for all applications of a test process: nearly every test makes an application of its own."""

from jinja2 import BytecodeCache


class Compiled(BytecodeCache):
    """Keeps the code of templates by what they say."""

    def __init__(self):
        self._kept = {}

    def load_bytecode(self, bucket):
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket):
        self._kept[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()
