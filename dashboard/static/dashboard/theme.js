// Runs before the first paint, so that a chosen theme does not flash. page.js has the switch.
document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";
