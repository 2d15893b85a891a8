class Plugin {
  constructor(script) {
    if (typeof script.config.processor === "string") return; // the main thread has no users
    script.config.processor.say = (_request, _context, events, done) => {
      events.emit("counter", `ours.${script.config.plugins.ours.word}`, 1);
      done();
    };
    for (const scenario of script.scenarios) scenario.beforeRequest = ["say"];
  }

  cleanup(done) {
    done(null);
  }
}

module.exports = { Plugin };
