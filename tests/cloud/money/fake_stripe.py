"""A payment provider on a loopback port that behaves as Stripe's documentation says its PaymentIntents do.

What is copied: form-encoded requests, bearer key, pinned version, Idempotency-Key (the first answer is said again, with
`Idempotent-Replayed`, also a decline and a 500; other parameters are a 400; keys are forgotten after 24 hours), the
error object and its statuses, `Request-Id`, requires_capture → succeeded or canceled, and lists of the newest first.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_cabinet"
DAY_S = 86_400
Answer = tuple[int, dict[str, Any]]


def error(status: int, kind: str, code: str, message: str, **more: Any) -> Answer:
    return status, {"error": {"type": kind, "code": code, "message": message, **more}}


@dataclass(slots=True)
class FakeStripe:
    now_s: int = 1_790_000_000
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, tuple[str, Answer, int]] = field(default_factory=dict)
    heard: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    faults: list[str | int] = field(default_factory=list)  # of the next POSTs: "drop", "done and drop", or a status
    page: int = 100
    _server: Any = None
    _lock: Any = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake._serve(self)

            def do_POST(self) -> None:
                fake._serve(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's own name
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        place = urlsplit(request.path)
        length = int(request.headers.get("Content-Length") or 0)
        asked = dict(parse_qsl(place.query or request.rfile.read(length).decode(), keep_blank_values=True))
        with self._lock:
            self.heard.append((request.command, place.path, asked, dict(request.headers)))
            fault = self.faults.pop(0) if self.faults and request.command == "POST" else None
            replayed = False
            if request.headers.get("Authorization") != f"Bearer {KEY}":
                answer = error(401, "invalid_request_error", "", "Invalid API Key provided")
            elif fault == "drop":
                return
            elif isinstance(fault, int):
                answer = error(fault, "invalid_request_error" if fault < 500 else "api_error", "lock_timeout", "later")
            elif request.command == "GET":
                answer = self._get(place.path, asked)
            else:
                answer, replayed = self._post(place.path, asked, request.headers.get("Idempotency-Key", ""))
        if fault == "done and drop":
            return
        said = json.dumps(answer[1]).encode()
        request.send_response(answer[0])
        request.send_header("Request-Id", f"req_{len(self.heard)}")
        if replayed:
            request.send_header("Idempotent-Replayed", "true")
        request.send_header("Content-Length", str(len(said)))
        request.end_headers()
        request.wfile.write(said)

    def _post(self, path: str, asked: dict[str, str], key: str) -> tuple[Answer, bool]:
        told = json.dumps([path, asked], sort_keys=True)
        self.known = {name: row for name, row in self.known.items() if self.now_s - row[2] < DAY_S}
        if key in self.known:
            before, answer, _ = self.known[key]
            if before != told:
                return error(400, "idempotency_error", "", "Keys for idempotent requests can only be used once"), False
            return answer, True
        answer = self._work(path.split("/")[2:], asked)
        if answer[0] in {200, 402, 500}:  # not where a parameter was wrong: nothing was begun then
            self.known[key] = (told, json.loads(json.dumps(answer)), self.now_s)
        return answer, False

    def _work(self, path: list[str], asked: dict[str, str]) -> Answer:
        match path:
            case ["payment_intents"]:
                return self._create(asked)
            case ["payment_intents", name, verb] if name in self.intents:
                intent = self.intents[name]
                if intent["status"] != "requires_capture":
                    said = f"This PaymentIntent could not be {verb}d because it has a status of {intent['status']}."
                    return error(
                        400, "invalid_request_error", "payment_intent_unexpected_state", said, payment_intent=intent
                    )
                return self._capture(intent, asked) if verb == "capture" else self._cancel(intent)
            case ["refunds"] if asked.get("payment_intent") in self.intents:
                return self._refund(self.intents[asked["payment_intent"]], asked)
        return error(404, "invalid_request_error", "resource_missing", "No such resource")

    def _create(self, asked: dict[str, str]) -> Answer:
        wanted = {"capture_method": "manual", "confirm": "true", "off_session": "true"}
        if {name: asked.get(name) for name in wanted} != wanted or not asked.get("currency", "X").islower():
            return error(400, "invalid_request_error", "parameter_invalid", "Not what this test expects")
        name, amount, method = f"pi_{len(self.intents) + 1}", int(asked["amount"]), asked["payment_method"]
        metadata = {key[9:-1]: value for key, value in asked.items() if key.startswith("metadata[")}
        intent = {
            "id": name, "object": "payment_intent", "amount": amount, "amount_received": 0, "metadata": metadata,
            "amount_capturable": amount, "currency": asked["currency"], "customer": asked["customer"],
            "status": "requires_capture", "created": self.now_s, "latest_charge": f"ch_{name}",
        }  # fmt: skip  # a table
        self.intents[name] = intent
        if method == "pm_partial":
            intent["amount_capturable"] = amount // 2
        if method in {"pm_declined", "pm_3ds"}:
            code = "card_declined" if method == "pm_declined" else "authentication_required"
            intent.update(status="requires_payment_method", amount_capturable=0)
            return error(402, "card_error", code, "Declined.", decline_code="insufficient_funds", payment_intent=intent)
        return 200, intent

    def _capture(self, intent: dict[str, Any], asked: dict[str, str]) -> Answer:
        amount = int(asked.get("amount_to_capture", intent["amount_capturable"]))
        if amount > intent["amount_capturable"]:
            return error(400, "invalid_request_error", "amount_too_large", "More than can be captured")
        intent.update(status="succeeded", amount_received=amount, amount_capturable=0)
        return 200, intent

    def _cancel(self, intent: dict[str, Any]) -> Answer:
        intent.update(status="canceled", amount_capturable=0)
        return 200, intent

    def _refund(self, intent: dict[str, Any], asked: dict[str, str]) -> Answer:
        amount, left = int(asked["amount"]), intent["amount_received"] - self.refunded(intent["id"])
        if amount > left:
            said = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            return error(400, "invalid_request_error", "", said)
        refund = {"id": f"re_{len(self.refunds) + 1}", "payment_intent": intent["id"], "amount": amount}
        self.refunds.append(refund)
        return 200, {**refund, "object": "refund", "status": "succeeded"}

    def refunded(self, intent: str) -> int:
        return sum(refund["amount"] for refund in self.refunds if refund["payment_intent"] == intent)

    def _get(self, path: str, asked: dict[str, str]) -> Answer:
        parts = path.split("/")[2:]
        if len(parts) == 2:
            if parts[1] not in self.intents:
                return error(404, "invalid_request_error", "resource_missing", "No such payment_intent")
            return 200, self._shown(self.intents[parts[1]])
        since_s = int(asked.get("created[gte]", 0))
        rows = [
            intent
            for intent in reversed(self.intents.values())
            if asked.get("customer") in {None, intent["customer"]} and intent["created"] >= since_s
        ]
        if after := asked.get("starting_after"):
            rows = rows[[row["id"] for row in rows].index(after) + 1 :]
        limit = min(self.page, int(asked.get("limit", 10)))
        return 200, {"data": [self._shown(row) for row in rows[:limit]], "has_more": len(rows) > limit}

    def _shown(self, intent: dict[str, Any]) -> dict[str, Any]:
        charge = {"id": intent["latest_charge"], "amount_refunded": self.refunded(intent["id"])}
        return {**intent, "latest_charge": charge}
