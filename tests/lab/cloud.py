# SPDX-License-Identifier: Apache-2.0
"""A small REST client of the lab's cloud: one token, one session, JSON in and out.

In-process and without discovery, because the command-line client costs two seconds a call.
"""
import os
import time

import requests

LAB = os.environ.get("LAB", "/var/lib/novalab")
HOST = os.environ.get("LAB_HOST") or os.uname().nodename
PASSWORD = "labpw"
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))  # on a slow machine, or with an agent under a checker: wait so many times longer
BASE = {"identity": "http://127.0.0.1:5000/v3", "image": "http://127.0.0.1:9292", "placement": "http://127.0.0.1:8778",
        "compute": "http://127.0.0.1:8774/v2.1", "network": "http://127.0.0.1:9696"}
VERSION = {"compute": {"OpenStack-API-Version": "compute 2.93", "X-OpenStack-Nova-API-Version": "2.93"},
           "placement": {"OpenStack-API-Version": "placement 1.39"}}


class HttpError(Exception):
    """An answer outside 2xx; .status and .text tell which."""

    def __init__(self, method, url, answer):
        super().__init__(f"{method} {url}: {answer.status_code} {answer.text[:400]}")
        self.status = answer.status_code
        self.text = answer.text


class Cloud:
    """One user's view of the cloud."""

    def __init__(self, user="admin", password=PASSWORD, project="admin"):
        self.http = requests.Session()
        self.http.trust_env = False  # a proxy of the environment is not for loopback
        self.user, self.password, self.project = user, password, project
        self.token = None
        self.token_time = 0

    def authenticate(self):
        domain = {"name": "Default"}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {
            "name": self.user, "domain": domain, "password": self.password}}},
            "scope": {"project": {"name": self.project, "domain": domain}}}}
        answer = self.http.post(BASE["identity"] + "/auth/tokens", json=body, timeout=60)
        if answer.status_code != 201:
            raise HttpError("POST", "/auth/tokens", answer)
        self.token = answer.headers["X-Subject-Token"]
        self.token_time = time.time()

    def call(self, method, service, path, body=None, headers=None, data=None, microversion=None):
        """The answer's JSON, or its text when it is not JSON; raises HttpError outside 2xx."""
        if self.token is None or time.time() - self.token_time > 3000:
            self.authenticate()
        url = BASE[service] + path
        all_headers = dict(VERSION.get(service, {}))
        if microversion:
            all_headers["OpenStack-API-Version"] = f"{service} {microversion}"
            all_headers["X-OpenStack-Nova-API-Version"] = microversion
        all_headers.update(headers or {})
        for attempt in range(4):
            all_headers["X-Auth-Token"] = self.token
            try:
                answer = self.http.request(method, url, json=body, data=data, headers=all_headers, timeout=180)
            except requests.ConnectionError:  # the far side closed an idle connection; only safe to repeat a read
                if method != "GET" or attempt == 3:
                    raise
                continue
            if answer.status_code == 401 and attempt == 0:
                self.authenticate()
                continue
            break
        if not 200 <= answer.status_code < 300:
            raise HttpError(method, url, answer)
        if "json" in answer.headers.get("Content-Type", "") and answer.content:
            return answer.json()
        return answer.text

    def get(self, service, path, **kw):
        return self.call("GET", service, path, **kw)

    def post(self, service, path, body=None, **kw):
        return self.call("POST", service, path, body, **kw)

    def put(self, service, path, body=None, **kw):
        return self.call("PUT", service, path, body, **kw)

    def delete(self, service, path, **kw):
        return self.call("DELETE", service, path, **kw)


def until(what, seconds, check, pause=0.2):
    """Polls check() until it gives something true, which is returned; raises TimeoutError saying what was awaited."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s still no {what}")
        time.sleep(pause)
