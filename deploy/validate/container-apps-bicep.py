#!/usr/bin/env python3
"""Checks Bicep files without Bicep's compiler: grammar, names, and, with --types, each resource against its type.

Grammar: tree-sitter-bicep. Types: those that the compiler itself uses, a clone of github.com/Azure/bicep-types-az:
    container-apps-bicep.py [--types bicep-types-az/generated] main.bicep ...
Not a compiler: kinds of values that only a deployment knows are not checked, nor are scopes and cycles.
Exit code 0, or 1 with a line for each problem.
"""

import argparse
import json
import sys
from pathlib import Path

import tree_sitter
import tree_sitter_bicep

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))

# The functions that the files use, so that a misspelt one is found (learn.microsoft.com: Bicep functions).
FUNCTIONS = set(
    "allowed array concat contains description empty environment first format guid if items join json last length "
    "listKeys loadTextContent map max maxLength maxValue min minLength minValue padLeft range replace resourceGroup "
    "resourceId secure split string subscription subscriptionResourceId substring tenant toLower toUpper trim union "
    "uniqueString uriComponent".split()
)

DECLARATIONS = {"parameter_declaration", "variable_declaration", "resource_declaration", "output_declaration"}
REQUIRED, READ_ONLY = 1, 2


class Unknown:
    """A value that only a deployment knows."""


class Either(list):
    """One of several values, by a condition that is not known here."""


UNKNOWN = Unknown()


def text(node):
    return node.text.decode()


def descendants(node):
    yield node
    for child in node.children:
        yield from descendants(child)


class BicepFile:
    def __init__(self, path, types):
        self.path, self.types, self.problems = path, types, []
        self.root = PARSER.parse(path.read_bytes()).root_node
        self.declared, self.used, self.resources = {}, set(), {}

    def problem(self, node, words):
        line = f"{self.path}:{node.start_point[0] + 1}:{node.start_point[1] + 1}: {words}"
        if line not in self.problems:
            self.problems.append(line)

    def check(self):
        for node in descendants(self.root):
            if node.type == "ERROR" or node.is_missing:
                self.problem(node, f"is not Bicep: {text(node)[:40]!r}")
        if self.problems:
            return self.problems
        for node in self.root.named_children:
            if node.type in DECLARATIONS - {"output_declaration"}:
                self.declare(node, None)
        for node in self.root.named_children:
            self.names(node, frozenset())
        for name, node in self.declared.items():
            if name not in self.used and node.type != "resource_declaration":
                self.problem(node, f"{name} is never used")
        if self.types:
            for node, (kind, existing) in self.resources.items():
                self.check_resource(node, kind, existing)
            for node in descendants(self.root):
                if node.type == "member_expression":
                    self.resource_type_of(node)
        return self.problems

    # --- names ---

    def declare(self, node, parent):
        name = text(node.named_children[0])
        if parent is None:
            if name in self.declared:
                self.problem(node, f"{name} is declared twice")
            self.declared[name] = node
        if node.type != "resource_declaration":
            return
        kind = text(node.named_children[1]).strip("'")
        if parent:
            above, version = parent.split("@")
            kind = f"{above}/{kind}@{version}"
        existing = any(child.type == "existing" for child in node.children)
        self.resources[node] = (kind, existing)
        for child in self.body_of(node).named_children:
            if child.named_children and child.named_children[0].type == "resource_declaration":
                self.declare(child.named_children[0], kind)

    @staticmethod
    def body_of(resource):
        body = resource.named_children[-1]
        return body.named_children[-1] if body.type in ("if_statement", "for_statement") else body

    def names(self, node, local):
        """Every identifier that is read must be declared, or be the argument of a lambda around it."""
        kind = node.type
        if kind == "identifier":
            name = text(node)
            self.used.add(name)
            if name not in self.declared and name not in local:
                self.problem(node, f"{name} is not declared")
            return
        children = list(node.named_children)
        if kind in DECLARATIONS:
            children = children[1:]
        elif kind == "object_property" and children[0].type == "identifier":
            children = children[1:]
        elif kind == "lambda_expression":
            local = local | {text(each) for each in descendants(children[0]) if each.type == "identifier"}
            children = children[1:]
        elif kind == "call_expression" and children[0].type == "identifier":
            if text(children[0]) not in FUNCTIONS:
                self.problem(node, f"there is no function {text(children[0])}")
            children = children[1:]
        elif kind == "resource_expression":
            children = children[:1]
        elif kind in ("comment", "target_scope_assignment", "type"):
            return
        for child in children:
            self.names(child, local)

    # --- values, as far as they are known ---

    def value(self, node, depth=0):
        kind, children = node.type, node.named_children
        children = [child for child in children if child.type != "comment"]
        if depth > 40:
            return UNKNOWN
        deeper = lambda child: self.value(child, depth + 1)
        if kind == "string":
            known = all(child.type in ("string_content", "escape_sequence") for child in children)
            return "".join(text(child) for child in children) if known else UNKNOWN
        if kind == "number":
            return int(text(node))
        if kind == "boolean":
            return text(node) == "true"
        if kind == "parenthesized_expression":
            return deeper(children[0])
        if kind == "array":
            return [deeper(child) for child in children]
        if kind == "object":
            return {
                self.key(child): (child, deeper(child.named_children[-1]))
                for child in children
                if child.named_children[0].type != "resource_declaration"
            }
        if kind == "ternary_expression":
            return Either([deeper(children[1]), deeper(children[2])])
        if kind == "identifier" and text(node) in self.declared:
            declaration = self.declared[text(node)]
            return deeper(declaration.named_children[-1]) if declaration.type == "variable_declaration" else UNKNOWN
        if kind == "call_expression":
            return self.call(node, deeper)
        return UNKNOWN

    @staticmethod
    def key(item):
        name = item.named_children[0]
        return text(name).strip("'")

    def call(self, node, deeper):
        name, arguments = text(node.named_children[0]), node.named_children[-1].named_children
        if name == "concat":
            parts = [deeper(argument) for argument in arguments]
            return [item for part in parts for item in self.items(part)]
        if name == "union":
            merged = {}
            for argument in arguments:
                for part in self.options(deeper(argument)):
                    merged |= part if isinstance(part, dict) else {}
            return merged
        if name == "map" and arguments[-1].type == "lambda_expression":
            return [deeper(arguments[-1].named_children[-1])]
        return UNKNOWN

    @staticmethod
    def options(value):
        return value if isinstance(value, Either) else [value]

    def items(self, value):
        return [item for option in self.options(value) if isinstance(option, list) for item in option]

    # --- types ---

    def check_resource(self, node, kind, existing):
        found = self.types.resource(kind)
        if found is None:
            self.problem(node, f"there is no type {kind}")
        elif not existing:
            value = {
                name: item for name, item in self.value(self.body_of(node)).items() if name not in ("parent", "scope", "dependsOn")
            }
            self.fit(node, value, found, kind.split("@")[0])

    def fit(self, node, value, wanted, where):
        if isinstance(value, Either):
            for option in value:
                self.fit(node, option, wanted, where)
        elif not isinstance(value, Unknown):
            check = {
                "ObjectType": self.fit_object,
                "ArrayType": self.fit_array,
                "StringType": self.fit_string,
                "StringLiteralType": self.fit_string,
                "UnionType": self.fit_union,
                "IntegerType": lambda *rest: self.expect(int, "a number", *rest),
                "BooleanType": lambda *rest: self.expect(bool, "true or false", *rest),
            }.get(wanted.kind)
            if check:
                check(node, value, wanted, where)

    def expect(self, kind, words, node, value, _wanted, where):
        if type(value) is not kind:
            self.problem(node, f"{where} must be {words}")

    def fit_object(self, node, value, wanted, where):
        if not isinstance(value, dict):
            self.problem(node, f"{where} must be an object")
            return
        properties, others = wanted.data["properties"], wanted.data.get("additionalProperties")
        for name, (place, inner) in value.items():
            declared = properties.get(name)
            if declared is None and others is None:
                self.problem(place, f"{where} has no property {name}")
            elif declared is None:
                self.fit(place, inner, wanted.follow(others), f"{where}.{name}")
            elif declared.get("flags", 0) & READ_ONLY:
                self.problem(place, f"{where}.{name} can only be read")
            else:
                self.fit(place, inner, wanted.follow(declared["type"]), f"{where}.{name}")
        for name, declared in properties.items():
            if declared.get("flags", 0) & REQUIRED and not declared["flags"] & READ_ONLY and name not in value:
                self.problem(node, f"{where} needs {name}")

    def fit_array(self, node, value, wanted, where):
        if not isinstance(value, list):
            self.problem(node, f"{where} must be an array")
            return
        for item in value:
            self.fit(node, item, wanted.follow(wanted.data["itemType"]), f"{where}[]")

    def fit_string(self, node, value, wanted, where):
        data = wanted.data
        if not isinstance(value, str):
            self.problem(node, f"{where} must be a string")
        elif wanted.kind == "StringLiteralType" and value != data["value"]:
            self.problem(node, f"{where} must be {data['value']!r}")
        elif not data.get("minLength", 0) <= len(value) <= data.get("maxLength", sys.maxsize):
            self.problem(node, f"{where} is too short or too long")

    def fit_union(self, node, value, wanted, where):
        """Named values; where any other string is allowed too, Azure knows none, or one of a later version."""
        named = [e.data["value"] for e in (wanted.follow(ref) for ref in wanted.data["elements"]) if "value" in e.data]
        if named and value not in named:
            self.problem(node, f"{where} is {value!r}, not one of {', '.join(named)}")

    def resource_type_of(self, node):
        """Type of what is read of a resource, `redis.properties.hostName`; None where it is not known."""
        if node.type == "identifier":
            declaration = self.declared.get(text(node))
            return self.types.resource(self.resources[declaration][0]) if declaration in self.resources else None
        if node.type == "resource_expression":
            outer = self.declared.get(text(node.named_children[0]))
            for inner, (kind, _) in self.resources.items():
                if outer and text(inner.named_children[0]) == text(node.named_children[1]) and inner.parent.parent.parent == outer:
                    return self.types.resource(kind)
            self.problem(node, f"{text(node)} is not declared")
            return None
        if node.type == "call_expression":
            return self.result_of(node)
        if node.type != "member_expression":
            return None
        above, name = self.resource_type_of(node.named_children[0]), text(node.named_children[1])
        if above is None or above.kind != "ObjectType" or node.parent.type == "call_expression" and node.parent.children[0] == node:
            return None
        properties, others = above.data["properties"], above.data.get("additionalProperties")
        if name in properties:
            return above.follow(properties[name]["type"])
        if others is None:
            self.problem(node, f"{text(node.named_children[0])} has no property {name}")
            return None
        return above.follow(others)

    def result_of(self, node):
        function = node.named_children[0]
        if function.type != "member_expression":
            return None
        above, name = self.resource_type_of(function.named_children[0]), text(function.named_children[1])
        if above is None:
            return None
        # The compiler takes any name that begins so, as not every list operation is described.
        if not name.startswith("list"):
            self.problem(node, f"a resource has no function {name}")
        return self.types.function(above, name)


class Type:
    def __init__(self, all_types, data, resource=None):
        self.all, self.data, self.kind, self.resource = all_types, data, data["$type"], resource

    def follow(self, reference):
        return Type(self.all, self.all[int(reference["$ref"].split("/")[-1])])


class Types:
    def __init__(self, folder):
        self.folder, self.known = Path(folder), {}

    def load(self, kind):
        name, version = kind.split("@")
        namespace = name.split("/")[0].lower()
        key = (namespace, version)
        if key not in self.known:
            files = sorted(self.folder.glob(f"*/{namespace}/{version.lower()}/types.json"))
            self.known[key] = [json.loads(file.read_text()) for file in files]
        return self.known[key]

    def resource(self, kind):
        for types in self.load(kind):
            for each in types:
                if each["$type"] == "ResourceType" and each["name"].lower() == kind.lower():
                    return Type(types, Type(types, each).follow(each["body"]).data, kind)
        return None

    def function(self, resource, name):
        if resource.resource is None:
            return None
        kind = resource.resource.split("@")[0].lower()
        for each in resource.all:
            if each["$type"] == "ResourceFunctionType" and (each["resourceType"].lower(), each["name"]) == (kind, name):
                return resource.follow(each["output"])
        return None


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--types", help="folder generated/ of a clone of Azure/bicep-types-az")
    options.add_argument("files", nargs="+", type=Path)
    given = options.parse_args()
    types = Types(given.types) if given.types else None
    problems = [line for file in given.files for line in BicepFile(file, types).check()]
    print("\n".join(problems) if problems else f"{len(given.files)} files: no problem found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
