// Asks the backend, and says on the page when it does not answer: nothing that is clicked fails in silence.

const AGAIN = 1000; // ms between two attempts to load what the page cannot do without
const PATIENCE = 5000; // ms that an answer may take
const problem = document.getElementById("problem");

/** What a GET gives; tried until it does. */
export async function ask(path) {
  for (;;) {
    const answer = await request(path, {}, "The backend does not answer. Trying again…");
    if (answer) return answer.json();
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

/** Sends what was clicked, once. */
export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify(body) };
  await request(path, options, "The backend does not answer. If nothing changes, please try again.");
}

/** The answer, or null when there is none that is good; `complaint` is shown when there is none at all. */
async function request(path, options, complaint) {
  try {
    const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
    problem.textContent = answer.ok ? "" : `The backend refused this (${answer.status}).`;
    return answer.ok ? answer : null;
  } catch {
    problem.textContent = complaint;
    return null;
  }
}
