// The relay's HTTP door: every question and command goes through here.

const TOKEN = "syncrelay-admin-token"; // in the session's storage
export const UNAUTHORIZED = 401;

/** The relay's own refusal, or that it does not answer (`status` 0). */
export class DoorError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** `askForToken(isWrong)` resolves to a token; it is asked once, however many questions wait for it. */
export class Door {
  asking = null;

  constructor(base, askForToken, storage = sessionStorage) {
    this.base = base;
    this.askForToken = askForToken;
    this.storage = storage;
  }

  /** The answer to a control operation. */
  ask(command, signal) {
    return this.request("commands", { method: "POST", body: JSON.stringify(command), signal });
  }

  async request(path, options, isSecond = false) {
    const token = this.storage.getItem(TOKEN);
    const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const answer = await this.fetch(new URL(path, this.base), { ...options, headers, cache: "no-store" });
    if (answer.status === UNAUTHORIZED) {
      if (this.storage.getItem(TOKEN) === token) await this.getToken(isSecond || token !== null);
      return this.request(path, options, true);
    }
    return result(answer);
  }

  async fetch(url, options) {
    try {
      return await fetch(url, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new DoorError(0, "unreachable", "the relay does not answer");
    }
  }

  getToken(isWrong) {
    this.asking ??= this.askForToken(isWrong).then((token) => {
      this.asking = null;
      this.storage.setItem(TOKEN, token);
    });
    return this.asking;
  }
}

async function result(answer) {
  const body = await answer.json().catch(() => null);
  if (answer.ok && body) return body;
  const { code = `http_${answer.status}`, message = `the relay answers ${answer.status}` } = body?.error ?? {};
  throw new DoorError(answer.status, code, message);
}
