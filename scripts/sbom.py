#!/usr/bin/env python3
"""Prints a bill of materials (CycloneDX 1.5, JSON) of what is linked into the release binary, from `cargo metadata`."""

import json
import subprocess
import sys


def metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def linked(data):
    """The ids reachable from the root without development dependencies, with what each depends on."""
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    todo, graph = [data["resolve"]["root"]], {}
    while todo:
        name = todo.pop()
        if name in graph:
            continue
        graph[name] = [dep["pkg"] for dep in nodes[name]["deps"]
                       if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
        todo.extend(graph[name])
    return graph


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def main():
    data = metadata()
    graph = linked(data)
    packages = {package["id"]: package for package in data["packages"]}
    root = packages[data["resolve"]["root"]]

    def component(package, kind):
        return {"type": kind, "bom-ref": reference(package), "name": package["name"], "version": package["version"],
                "purl": reference(package), "licenses": [{"expression": (package["license"] or "NOASSERTION").replace("/", " OR ")}]}

    others = sorted((packages[name] for name in graph if name != root["id"]), key=reference)
    json.dump({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": component(root, "application")},
        "components": [component(package, "library") for package in others],
        "dependencies": [{"ref": reference(packages[name]), "dependsOn": sorted({reference(packages[dep]) for dep in deps})}
                         for name, deps in sorted(graph.items(), key=lambda item: reference(packages[item[0]]))],
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
