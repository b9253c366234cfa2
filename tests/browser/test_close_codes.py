"""What a script in the browser is told when the relay closes its connection."""

import pytest

TIMES = 20

# Sends two messages of `size` bytes at once; the close event's code and reason, `times` times.
SEND_TOO_MUCH = """
(async (size, times) => {
  const ends = [];
  for (let count = 0; count < times; ++count) {
    ends.push(await new Promise((resolve) => {
      const socket = new WebSocket(`ws://${location.host}/ws/sync`);
      socket.onopen = () => { socket.send("x".repeat(size)); socket.send("x".repeat(size)); };
      socket.onclose = ({ code, reason }) => resolve([code, reason]);
    }));
  }
  return ends;
})(%d, %d)
"""


@pytest.mark.parametrize("size", [70_000, 4 * 2**20], ids=["70-kB", "4-MiB"])
def test_a_page_that_is_still_sending_sees_the_close_code(relay, browser, size):
    page = browser.open(f"http://127.0.0.1:{relay.port}/health")
    ends = page.evaluate(SEND_TOO_MUCH % (size, TIMES))
    assert ends == [[1009, "message_too_large"]] * TIMES
