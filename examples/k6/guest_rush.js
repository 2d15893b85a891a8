// The Saturday guest rush: guests open the site, answer the invitation, look at the timeline,
// upload photos and leave messages. TARGET is the site's address, USERS the number of guests.
import http from "k6/http";
import { check, sleep } from "k6";

const TARGET = (__ENV.TARGET || "http://127.0.0.1:8090").replace(/\/+$/, "");
const USERS = Number(__ENV.USERS || 20);
const JSON_BODY = { "Content-Type": "application/json" };
const PHOTO = new Uint8Array(64 * 1024).fill(0x57).buffer;

export const options = {
  scenarios: {
    guest_rush: {
      executor: "ramping-vus",
      startVUs: 1,
      stages: [
        { duration: "10s", target: USERS },
        { duration: "45s", target: USERS },
        { duration: "5s", target: 0 },
      ],
      gracefulRampDown: "5s",
      gracefulStop: "5s",
    },
  },
  thresholds: {
    http_req_failed: ["rate<0.05"],
    http_req_duration: ["p(95)<800"],
    checks: ["rate>0.95"],
  },
};

export default function guest() {
  const name = `Guest ${__VU}-${__ITER}`;
  openHome();
  pause();
  lookAtTimeline();
  pause();
  if (Math.random() < 0.5) reply(name);
  if (Math.random() < 0.3) uploadPhoto();
  pause();
  readMessages();
  if (Math.random() < 0.4) leaveMessage(name);
  pause();
}

function openHome() {
  const response = http.get(`${TARGET}/`, { tags: { name: "home" } });
  check(response, { "home opens": (r) => r.status === 200 });
}

function lookAtTimeline() {
  const response = http.get(`${TARGET}/timeline`, { tags: { name: "timeline" } });
  check(response, { "timeline is shown": (r) => r.status === 200 });
}

function reply(guest) {
  const body = JSON.stringify({ guest, coming: Math.random() < 0.9 });
  const response = http.post(`${TARGET}/rsvp`, body, { headers: JSON_BODY, tags: { name: "rsvp" } });
  check(response, { "RSVP is kept": (r) => r.status === 201 });
}

function uploadPhoto() {
  const headers = { "Content-Type": "image/jpeg" };
  const response = http.post(`${TARGET}/photos`, PHOTO, { headers, tags: { name: "photo upload" } });
  check(response, { "photo is kept": (r) => r.status === 201 });
}

function readMessages() {
  const response = http.get(`${TARGET}/messages`, { tags: { name: "guest messages" } });
  check(response, { "messages are shown": (r) => r.status === 200 });
}

function leaveMessage(guest) {
  const body = JSON.stringify({ guest, text: "All the best to you both!" });
  const parameters = { headers: JSON_BODY, tags: { name: "guest messages" } };
  const response = http.post(`${TARGET}/messages`, body, parameters);
  check(response, { "message is kept": (r) => r.status === 201 });
}

function pause() {
  sleep(0.1 + Math.random() * 0.3);
}
