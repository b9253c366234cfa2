"""What the promises of a cluster's log come to, whatever was done to Redis."""

from collections import Counter


def judge(relays) -> None:
    histories = {relay.id: relay.histories() for relay in relays}
    for name, by_epoch in histories.items():
        for epoch, row in by_epoch.items():
            twice = [text for text, count in Counter(row).items() if count > 1]
            assert not twice, f"{name} was told twice under {epoch}: {twice[:5]}"
    longest: dict[str, list[str]] = {}
    for name, by_epoch in histories.items():
        for epoch, row in by_epoch.items():
            known = longest.setdefault(epoch, row)
            common = min(len(known), len(row))
            assert known[:common] == row[:common], f"two histories under {epoch}: {known[-5:]} and {name} {row[-5:]}"
            if len(row) > len(known):
                longest[epoch] = row
