// Asks the backend, and says on the page when it does not answer: nothing that is clicked fails in silence.

const AGAIN = 1000; // ms between two attempts
const PATIENCE = 5000; // ms that an answer may take
const TRYING = "The backend does not answer. Trying again…";
const LOST = "The backend does not answer. If nothing changes, please try again.";
const problem = document.getElementById("problem");
let isWatching = false;

/** What a GET gives; tried until it does. */
export async function ask(path) {
  for (;;) {
    const answer = await request(path, {}, TRYING);
    if (answer?.ok) return answer.json();
    await pause();
  }
}

/** Sends what was clicked, once. Returns whether the backend took it. */
export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await request(path, { method: "POST", headers, body: JSON.stringify(body) }, LOST);
  if (!answer) watch();
  return answer?.ok === true;
}

/** The backend has been heard of: what was said of its silence is over. */
export function heardOf() {
  if ([TRYING, LOST].includes(problem.textContent)) problem.textContent = "";
}

/** The answer, or null when there is none; `complaint` is shown then. */
async function request(path, options, complaint) {
  const answer = await attempt(path, options);
  if (!answer) problem.textContent = complaint;
  else problem.textContent = answer.ok ? "" : `The backend refused this (${answer.status}).`;
  return answer;
}

function attempt(path, options) {
  return fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
}

/** Asks for little until there is an answer. */
async function watch() {
  if (isWatching) return;
  isWatching = true;
  do await pause();
  while (problem.textContent === LOST && !(await attempt("/tracks", {})));
  isWatching = false;
  heardOf();
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, AGAIN));
}
