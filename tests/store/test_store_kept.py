"""Plans are kept by what they say."""

from __future__ import annotations

import os


def test_same_plan_is_one_file_and_the_newest_again(store):
    first = store.write_plan({"jobs": [1], "name": "a"})
    second = store.write_plan({"jobs": [2], "name": "a"})
    os.utime(first, ns=(10, 10))
    os.utime(second, ns=(20, 20))
    assert store.plans() == [second, first]
    assert store.write_plan({"name": "a", "jobs": [1]}) == first
    assert store.plans() == [first, second]


def test_torn_plan_is_written_anew(store):
    path = store.write_plan({"jobs": [1]})
    content = path.read_text()
    path.write_text("{")
    assert store.write_plan({"jobs": [1]}) == path
    assert path.read_text() == content
