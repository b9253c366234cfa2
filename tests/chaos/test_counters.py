"""The counters' checks find what is wrong with a page of metrics."""

import counters
from metrics_page import MetricsPage


CLOSED = 'clients_closed_total{code="1000",reason="client_closed"}'


def page(**changes):
    numbers = {"clients": 3, "clients_accepted_total": 10, CLOSED: 7, 'clients_refused_total{reason="origin"}': 2,
               "events_total": 4, **changes}
    types = "".join(f"# TYPE syncrelay_{name} {'counter' if name.endswith('_total') else 'gauge'}\n"
                    for name in {key.partition("{")[0] for key in numbers})
    return MetricsPage(types + "".join(f"syncrelay_{name} {value}\n" for name, value in numbers.items()))


def test_a_true_page_has_no_findings():
    assert counters.always(page()) == counters.at_rest(page(), 3) == counters.since(page(), page()) == []


def test_a_wrapped_counter():
    assert counters.always(page(clients=2**64 - 1)) == [f"clients is {float(2**64)}"]


def test_a_number_below_nothing_and_one_that_is_none():
    assert len(counters.always(page(clients=-1, events_total="NaN"))) == 2


def test_a_reason_that_nobody_documented():
    found = counters.always(page(**{'clients_refused_total{reason="weather"}': 1}))
    assert found == ["clients_refused_total has the reason weather, which nobody documented"]


def test_a_counter_that_goes_back():
    assert counters.since(page(events_total=5), page()) == ["events_total went back from 5.0 to 4.0"]
    assert counters.since(page(), page(**{CLOSED: 6}))


def test_a_gauge_may_go_back():
    assert counters.since(page(clients=5), page()) == []


def test_clients_that_are_not_there_and_clients_that_are_not_counted():
    assert counters.at_rest(page(), 2) and counters.at_rest(page(), 4)


def test_accepted_clients_that_nobody_closed():
    assert counters.at_rest(page(clients_accepted_total=11), 3) == ["11.0 accepted are not 7.0 closed and 3.0 open"]
