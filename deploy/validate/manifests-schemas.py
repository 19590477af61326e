"""Validates manifests that kubernetes-validate has no schema for: by the CustomResourceDefinitions of KEDA and the
operator of Prometheus, and by the discovery document of Cloud Run's own API. Fields that they do not know are errors.

Usage: manifests-schemas.py SCHEMAS FILE...    SCHEMAS: folder with scaledobject.yaml, servicemonitor.yaml, run-v1.json
"""

import json
import sys
from pathlib import Path

import jsonschema
import yaml

CRDS = {
    ("keda.sh/v1alpha1", "ScaledObject"): "scaledobject.yaml",
    ("monitoring.coreos.com/v1", "ServiceMonitor"): "servicemonitor.yaml",
}
CLOUD_RUN = {
    ("serving.knative.dev/v1", "Service"): "Service",
    ("run.googleapis.com/v1", "WorkerPool"): "WorkerPool",
    ("run.googleapis.com/v1", "Job"): "Job",
}


def closed(schema):
    """The same schema with every unknown property refused, as a strict server does."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    properties = result.get("properties")
    is_object = isinstance(properties, dict) and result.get("type", "object") == "object"
    if is_object and not result.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    if result.pop("x-kubernetes-int-or-string", False):
        result.pop("type", None)
    return result


def crd_schema(path, version):
    crd = yaml.safe_load(path.read_text())
    [found] = [entry for entry in crd["spec"]["versions"] if entry["name"] == version]
    schema = found["schema"]["openAPIV3Schema"]
    # Kubernetes knows what stands in here, and the schema does not say it.
    schema["properties"]["metadata"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return closed(schema)


def discovery_schema(path, name):
    """Google's form of JSON Schema: references are names, and `any` is a type."""
    document = json.loads(path.read_text())

    def plain(value):
        if isinstance(value, list):
            return [plain(item) for item in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return {"$ref": f"#/definitions/{value['$ref']}"}
        if value.get("type") == "any":
            return {}
        skipped = ("id", "description", "enumDescriptions", "format", "readOnly", "deprecated", "required")
        return {key: plain(item) for key, item in value.items() if key not in skipped}

    definitions = {key: closed(plain(value)) for key, value in document["schemas"].items()}
    return {"$ref": f"#/definitions/{name}", "definitions": definitions}


def schema_for(manifest, folder):
    key = (manifest.get("apiVersion"), manifest.get("kind"))
    if key in CRDS:
        return crd_schema(folder / CRDS[key], key[0].split("/")[1])
    if key in CLOUD_RUN:
        return discovery_schema(folder / "run-v1.json", CLOUD_RUN[key])
    return None


def main(folder, files):
    failed = False
    checked = 0
    for file in files:
        for manifest in yaml.safe_load_all(Path(file).read_text()):
            schema = schema_for(manifest, Path(folder)) if manifest else None
            if schema is None:
                continue
            checked += 1
            for error in jsonschema.Draft7Validator(schema).iter_errors(manifest):
                failed = True
                print(f"{file}: {manifest['kind']} {error.json_path}: {error.message[:300]}")
    print(f"{checked} manifests held against their schemas")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
