"""The gateway's routes as a table, read from the configuration that Envoy runs."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

_SEPARATED = "path_separated_prefix"


class RouteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One route: what it takes, where it goes, who may ask, and how often."""

    name: str
    # matches the whole path, without its query
    pattern: str
    methods: str
    needs_header: bool
    needs_query: bool
    # nothing, where the gateway answers itself
    cluster: str
    access: str
    rate: str

    def takes(self, method: str, path: str) -> bool:
        """Say whether a request with nothing special about its headers comes here."""
        if self.needs_header or self.needs_query:
            return False
        return bool(re.fullmatch(self.methods, method) and re.fullmatch(self.pattern, path))


def of(configuration: dict[str, Any], host: str = "fleet") -> list[RouteRow]:
    """Return every route of a virtual host, in the order in which Envoy tries them."""
    listener = configuration["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    hosts = {one["name"]: one for one in manager["route_config"]["virtual_hosts"]}
    inherited = hosts[host]["typed_per_filter_config"]
    return [_row(route, inherited) for route in hosts[host]["routes"]]


def find(table: Sequence[RouteRow], method: str, path: str) -> RouteRow:
    """Return the route of a request; the last one takes everything."""
    return next(row for row in table if row.takes(method, path))


def _row(route: dict[str, Any], inherited: dict[str, Any]) -> RouteRow:
    match = route["match"]
    by_header = {h["name"]: h for h in match.get("headers", [])}
    method = by_header.pop(":method", None)
    rated = route.get("metadata", {}).get("filter_metadata", {}).get("worldloom", {})
    return RouteRow(
        name=route["name"],
        pattern=_pattern(match),
        methods=method["string_match"]["safe_regex"]["regex"] if method else ".*",
        needs_header=bool(by_header),
        needs_query="query_parameters" in match,
        cluster=route.get("route", {}).get("cluster", ""),
        access=_access(inherited | route.get("typed_per_filter_config", {})),
        rate=rated.get("rate", "read"),
    )


def _pattern(match: dict[str, Any]) -> str:
    if "path" in match:
        return re.escape(str(match["path"]))
    if _SEPARATED in match:
        return f"{re.escape(match[_SEPARATED])}(/.*)?"
    if "prefix" in match:
        return f"{re.escape(match['prefix'])}.*"
    return str(match["safe_regex"]["regex"])


def _access(overrides: dict[str, Any]) -> str:
    if "authenticate" not in overrides:
        return "required"
    matchers = overrides["authenticate"]["matcher"]["matcher_list"]["matchers"]
    chains = {m["on_match"]["action"]["typed_config"]["filter_chain_name"] for m in matchers}
    # an optional route has a decision for keys and one for tokens; an open one never decides
    known = {frozenset({"api_key", "token"}): "optional", frozenset({"token"}): "open"}
    return known.get(frozenset(chains), "granted")
