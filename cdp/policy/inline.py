"""Notices that stand in their purpose's own file: its words, item by item, become the notice in each language.

So that a purpose and what people are told of it can be one file. The result is read and checked like any other notice.
"""

from collections.abc import Iterator
from typing import Any

import yaml
from marshmallow import fields, validate

from cdp.policy.documents import Documents, Failures, Shape, names, shaped

HEADINGS = {
    "ja": {
        "controller": "運営者",
        "purposes": "利用目的",
        "recipients": "提供先・委託先",
        "withdrawal": "同意の撤回",
        "interests": "正当な利益",
    },
    "en": {
        "controller": "Who we are",
        "purposes": "What for",
        "recipients": "Who receives data",
        "withdrawal": "Withdrawing",
        "interests": "Our legitimate interests",
    },
}
"""What a short notice tells by itself; further items stand under their own name."""


class _WordsShape(Shape):
    title = fields.String(required=True, validate=validate.Length(1))
    items = fields.Dict(keys=fields.String(), values=fields.String(validate=validate.Length(1)), required=True)


class _NoticeShape(Shape):
    version = fields.String(required=True, validate=validate.Length(1))
    published = fields.String(required=True)
    material = fields.Raw(load_default=True)
    layer_of = fields.String(load_default="")
    recipients = names(load_default=list)
    ja = fields.Nested(_WordsShape, required=True)
    en = fields.Nested(_WordsShape, required=True)


def expanded(documents: Documents, failures: Failures) -> Documents:
    """Return the documents with every notice of a purpose's file as a notice of its own."""
    trees, notices = dict(documents.trees), dict(documents.notices)
    for path, name, tree in documents.under("purposes"):
        if not isinstance(tree, dict) or not isinstance(tree.get("notice"), dict):
            continue
        shape = shaped(_NoticeShape, tree["notice"], f"{path} notice", failures)
        trees[path] = {**tree, "notice": name}
        if shape is not None:
            _add(notices, dict(_written(name, tree, shape)), path, failures)
    return Documents(trees, notices)


def _add(notices: dict[str, str], made: dict[str, str], path: str, failures: Failures) -> None:
    for place, text in made.items():
        if place in notices:
            failures.add(path, f"notice: {place} is there too: a notice stands in one place")
        notices[place] = text


def _written(purpose: str, tree: dict[str, Any], shape: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for language, headings in HEADINGS.items():
        words = shape[language]
        titles = {item: headings.get(item, item) for item in words["items"]}
        front = {
            "title": words["title"],
            "published": shape["published"],
            "material": shape["material"],
            "purposes": [purpose],
            "recipients": shape["recipients"] or [name for name in tree.get("recipients", ()) if name != "staff"],
            "layer_of": shape["layer_of"],
            "brand": tree.get("brand", ""),
            "items": titles,
        }
        body = "".join(f"\n## {titles[item]}\n\n{said.strip()}\n" for item, said in words["items"].items())
        text = yaml.safe_dump(front, allow_unicode=True, sort_keys=False)
        yield f"notices/{purpose}.{shape['version']}.{language}.md", f"---\n{text}---\n# {words['title']}\n{body}"
