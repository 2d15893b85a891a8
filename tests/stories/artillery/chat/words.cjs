module.exports = {
  choose: (context, _events, done) => {
    context.vars.word = { word: "hello" };
    done();
  },
};
