// Follows a load test over WebSocket, or over Server-Sent Events where sockets do not get through.
//
// follow(testId, { onUpdate(data), onEnd(verdict), onRefused({reason, next_safe_window}), onState(state) })
//   state: "live", "reconnecting", "ended"; returns a function that stops.
//
// Nothing is lost over a reconnect: `since` is the seq of the last final second, and what comes
// twice is dropped by its seq.

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8000;
const SOCKET_FAILURES = 2;
const REFUSED = 4409;
const FORBIDDEN = 4403;

const nothing = () => {};

export function follow(testId, handlers) {
  const follower = new Follower(String(testId), handlers);
  follower.connect();
  return () => follower.stop();
}

class Follower {
  #failures = 0; // connections in a row that brought nothing
  #deadSockets = 0; // sockets in a row that did not even open
  #lastSeq = 0;
  #lastFinal = null; // { seq, at } of the newest final second
  #healing = null; // seq of the final second that showed a gap, until it is sent again
  #state = null;
  #stopped = false;
  #close = nothing;
  #retryTimer = 0;

  constructor(testId, { onUpdate = nothing, onEnd = nothing, onRefused = nothing, onState = nothing }) {
    Object.assign(this, { testId, onUpdate, onEnd, onRefused, onState });
  }

  connect() {
    this.#healing = null;
    this.#close = this.#deadSockets < SOCKET_FAILURES ? this.#openSocket() : this.#openEvents();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
    this.#close();
  }

  #openSocket() {
    const socket = new WebSocket(socketAddress());
    const ask = () => socket.send(JSON.stringify(
      { subscribe: "loadtest_metrics", testId: this.testId, since: this.#since },
    ));
    this.#deadSockets++;
    socket.onopen = () => {
      this.#deadSockets = 0;
      ask();
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "metrics_update") this.#update(message.data, ask);
      else if (message.type === "run_ended") this.#end(() => this.onEnd(message.verdict));
      else if (message.type === "refused") this.#end(() => this.onRefused(message));
      else if (message.type === "error") socket.close(); // not started yet, or a moment's trouble
    };
    socket.onclose = ({ code }) => {
      if (code === REFUSED || code === FORBIDDEN) this.#end(nothing);
      else this.#retry();
    };
    return () => {
      socket.onmessage = socket.onclose = null;
      socket.close();
    };
  }

  #openEvents() {
    const address = `/api/load-testing/stream/${encodeURIComponent(this.testId)}?since=${this.#since}`;
    const source = new EventSource(address);
    const again = () => {
      source.close();
      this.#close = this.#openEvents();
    };
    source.onmessage = ({ data }) => this.#update(JSON.parse(data), again);
    source.addEventListener("run_ended", ({ data }) => this.#end(() => this.onEnd(JSON.parse(data))));
    source.addEventListener("refused", ({ data }) => this.#end(() => this.onRefused(JSON.parse(data))));
    source.onerror = () => {
      source.close(); // our own retries have back-off, jitter and the right `since`
      this.#askWhy(address);
    };
    return () => source.close();
  }

  // EventSource does not show a refusal that comes before the start.
  async #askWhy(address) {
    const abort = new AbortController();
    const answer = await fetch(address, { signal: abort.signal }).catch(() => null);
    if (answer?.status === 409) {
      const refusal = await answer.json();
      this.#end(() => this.onRefused(refusal));
    } else {
      abort.abort();
      this.#retry();
    }
  }

  get #since() {
    return this.#lastFinal?.seq ?? 0;
  }

  #update(data, askAgain) {
    this.#failures = 0;
    this.#show("live");
    if (data.final) this.#updateFinal(data, askAgain);
    else if (data.seq > this.#lastSeq) this.#take(data);
  }

  #updateFinal(data, askAgain) {
    if (data.seq <= this.#since) return;
    if (this.#healing !== null && data.seq > this.#healing) return; // it will be sent again
    if (this.#healing === null && this.#missesSomething(data)) {
      this.#healing = data.seq;
      askAgain();
      return;
    }
    if (data.seq === this.#healing) this.#healing = null;
    this.#lastFinal = { seq: data.seq, at: Date.parse(data.at) };
    this.#take(data);
  }

  #take(data) {
    this.#lastSeq = Math.max(this.#lastSeq, data.seq);
    this.onUpdate(data);
  }

  // A hole of whole seconds between final ones: lost on the way, or nothing happened in them.
  #missesSomething({ seq, at }) {
    const last = this.#lastFinal;
    return last !== null && seq > last.seq + 1 && Date.parse(at) - last.at > 1500;
  }

  #end(tell) {
    if (this.#stopped) return;
    this.#show("ended");
    this.stop();
    tell();
  }

  #retry() {
    if (this.#stopped) return;
    this.#show("reconnecting");
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.connect(), backoff(this.#failures++));
  }

  #show(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.onState(state);
  }
}

function backoff(failures) {
  const limit = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
  return limit * (0.5 + Math.random() / 2);
}

function socketAddress() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`;
}
