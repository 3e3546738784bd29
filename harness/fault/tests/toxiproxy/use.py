"""Uses the API as a published client of Toxiproxy does.

    use.py API_PORT UPSTREAM

Exits with an error if an answer, or what happens to a connection, is not what Toxiproxy documents.
"""

import json
import socket
import sys
import time

import toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists


def connect(proxy):
    host, port = proxy.listen.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


def exchange(proxy, message=b"ping"):
    """Sends a message through a proxy; returns what comes back and the seconds that it took."""
    with connect(proxy) as connection:
        start = time.monotonic()
        connection.sendall(message)
        received = b""
        while len(received) < len(message):
            part = connection.recv(len(message) - len(received))
            if not part:
                break
            received += part
        return received, time.monotonic() - start


def refused(error, action):
    try:
        action()
    except error as refusal:
        body = json.loads(refusal.args[0])
        assert body["error"] and body["status"] in (400, 404, 409), body
    else:
        raise AssertionError(f"{error.__name__} was expected")


def main(port, upstream):
    server = toxiproxy.Toxiproxy()
    server.update_api_consumer("127.0.0.1", port)
    assert server.running()
    assert json.loads(server.version())["version"].startswith("2.")
    assert server.proxies() == {}

    proxy = server.create(upstream=upstream, name="echo")
    assert proxy.enabled and not proxy.listen.endswith(":0"), proxy.listen
    assert exchange(proxy)[0] == b"ping"
    refused(ProxyExists, lambda: toxiproxy.api.APIConsumer.post(
        "/proxies", json={"name": "echo", "upstream": upstream}))

    proxy.add_toxic(type="latency", attributes={"latency": 300, "jitter": 0})
    toxic = proxy.get_toxic("latency_downstream")
    assert toxic.attributes == {"latency": 300, "jitter": 0} and toxic.toxicity == 1.0
    received, seconds = exchange(proxy)
    assert received == b"ping" and seconds > 0.29, seconds
    refused(ProxyExists, lambda: proxy.add_toxic(type="latency"))
    refused(InvalidToxic, lambda: proxy.add_toxic(type="no_such_type"))
    refused(InvalidToxic, lambda: proxy.add_toxic(type="latency", name="x", stream="sideways"))
    refused(NotFound, lambda: proxy.destroy_toxic("none"))
    assert proxy.destroy_toxic("latency_downstream")
    assert proxy.toxics() == {}
    assert exchange(proxy)[1] < seconds

    proxy.add_toxic(type="limit_data", attributes={"bytes": 3})
    assert exchange(proxy)[0] == b"pin"
    server.reset()
    assert proxy.toxics() == {} and exchange(proxy)[0] == b"ping"

    proxy.add_toxic(type="reset_peer", toxicity=0.0)
    assert all(exchange(proxy)[0] == b"ping" for _ in range(20))
    server.reset()
    proxy.add_toxic(type="reset_peer")
    try:
        received, _ = exchange(proxy)
    except ConnectionResetError:
        pass
    else:
        raise AssertionError("the connection was not reset")
    server.reset()

    proxy.add_toxic(type="bandwidth", stream="upstream", attributes={"rate": 10})
    received, seconds = exchange(proxy, b"x" * 4000)
    assert received == b"x" * 4000 and seconds > 0.35, seconds
    server.reset()
    attributes = {"average_size": 10, "size_variation": 5, "delay": 10000}
    proxy.add_toxic(type="slicer", attributes=attributes)
    received, seconds = exchange(proxy, b"y" * 100)
    assert received == b"y" * 100 and seconds > 0.05, seconds
    server.reset()
    proxy.add_toxic(type="timeout", attributes={"timeout": 200})
    received, seconds = exchange(proxy)
    assert received == b"" and seconds > 0.15, (received, seconds)
    server.reset()

    with proxy.down():
        try:
            connect(proxy)
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("a disabled proxy accepts connections")
    assert exchange(proxy)[0] == b"ping"

    others = [{"name": "other", "upstream": upstream, "listen": "127.0.0.1:0"}]
    assert [each.name for each in server.populate(others)] == ["other"]
    assert sorted(server.proxies()) == ["echo", "other"]
    server.destroy_all()
    assert server.proxies() == {}
    refused(NotFound, proxy.destroy)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
