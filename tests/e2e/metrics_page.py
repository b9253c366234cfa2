"""A parsed page in Prometheus' text format."""

import re

SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
PREFIX = "syncrelay_"


class MetricsPage:
    """Names are given without the prefix `syncrelay_`."""

    def __init__(self, text):
        self.text = text
        self.types = dict(re.findall(rf"^# TYPE {PREFIX}(\S+) (\S+)$", text, re.MULTILINE))
        self._samples = [self._sample(line) for line in text.splitlines()
                         if line and not line.startswith("#")]

    @staticmethod
    def _sample(line):
        match = SAMPLE.match(line)
        assert match, f"not a sample: {line!r}"
        name, labels, value = match.groups()
        assert name.startswith(PREFIX), f"without prefix: {line!r}"
        return name[len(PREFIX):], dict(LABEL.findall(labels or "")), float(value)

    def samples(self):
        """All of them, as (name, labels, value)."""
        return list(self._samples)

    def value(self, name, **labels):
        """The sum over all samples of `name` that carry these labels; 0 without any."""
        return sum(value for sample, found, value in self._samples
                   if sample == name and labels.items() <= found.items())

    def labels(self, name, label):
        """The label's values to their sample values."""
        return {found[label]: value for sample, found, value in self._samples
                if sample == name and label in found}
