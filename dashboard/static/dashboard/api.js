// The REST API: JSON in and out; a problem document becomes a Problem with its sentence.
const TOKEN = document.querySelector("meta[name=csrf-token]").content;

export class Problem extends Error {
  constructor(document_) {
    const sentences = [document_.detail || document_.title, document_.next].filter(Boolean);
    super(sentences.join(" "));
    this.document = document_;
  }
}

export function get(path) {
  return ask(path, { headers: { Accept: "application/json" } });
}

export function post(path, body, headers = {}) {
  return send("POST", path, body, headers);
}

export function put(path, body) {
  return send("PUT", path, body);
}

export function patch(path, body) {
  return send("PATCH", path, body);
}

function send(method, path, body, headers = {}) {
  return ask(path, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRFToken": TOKEN, ...headers },
    body: JSON.stringify(body),
  });
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Problem({ detail: "The server did not answer.", next: "Is ./wedsync still running?" });
  }
  const data = await response.json().catch(() => ({}));
  if (response.ok) return data;
  const unknown = `The server answered ${response.status} without saying why.`;
  throw new Problem({ detail: unknown, status: response.status, ...data });
}
