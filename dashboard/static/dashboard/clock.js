// The server's clock, which `--at` may have moved and which a viewer's laptop may not share.
const told = Date.parse(document.documentElement.dataset.now);
const skew = Number.isNaN(told) ? 0 : told - Date.now();

export function now() {
  return Date.now() + skew;
}
