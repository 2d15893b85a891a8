"""The Saturday guest rush: guests open the site, answer the invitation, look at the timeline,
upload photos and leave messages. The site's address comes by `--host`, the crowd by `--users`."""

import random
from itertools import count

from locust import HttpUser, between, task

PHOTO = b"W" * 64 * 1024
GUESTS = count(1)


class Guest(HttpUser):
    wait_time = between(0.1, 0.4)

    def on_start(self) -> None:
        self.guest = f"Guest {next(GUESTS)}"

    @task(10)
    def open_home(self) -> None:
        self.client.get("/", name="home")

    @task(10)
    def look_at_timeline(self) -> None:
        self.client.get("/timeline", name="timeline")

    @task(5)
    def reply(self) -> None:
        body = {"guest": self.guest, "coming": random.random() < 0.9}
        self.client.post("/rsvp", json=body, name="rsvp")

    @task(3)
    def upload_photo(self) -> None:
        headers = {"Content-Type": "image/jpeg"}
        self.client.post("/photos", data=PHOTO, headers=headers, name="photo upload")

    @task(10)
    def read_messages(self) -> None:
        self.client.get("/messages", name="guest messages")

    @task(4)
    def leave_message(self) -> None:
        body = {"guest": self.guest, "text": "All the best to you both!"}
        self.client.post("/messages", json=body, name="guest messages")
