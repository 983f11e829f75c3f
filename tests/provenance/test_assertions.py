from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import UsageError
from synthmark.labeling.model import AigcLabel
from synthmark.labeling.payload import Payload
from synthmark.labeling.provenance.assertions import (
    aigc_assertion,
    algorithm_of,
    read_aigc,
    read_soft_binding,
    soft_binding_assertion,
)

LABEL = AigcLabel(label="1", content_producer="provider", produce_id="id-1")
payloads = st.integers(0, 2**64 - 1).map(Payload.from_int)
texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


labels = st.builds(
    AigcLabel,
    label=st.sampled_from("123"),
    content_producer=texts,
    produce_id=texts,
    reserved_code_1=texts,
    content_propagator=texts,
    propagate_id=texts,
    reserved_code_2=texts,
)


@given(labels)
def test_labels_come_back(label):
    assert read_aigc(aigc_assertion(label)["data"]) == label


def test_label_has_the_seven_keys_of_the_standard_in_order():
    assert list(aigc_assertion(LABEL)["data"]) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"Label": "4"},
        {"Label": 1},
        {"ProduceID": None},
        {"ProduceID": "x" * 2049},
        {"X": ""},
    ],
)
def test_labels_that_are_not_well_formed_are_not_read(change):
    assert read_aigc({**aigc_assertion(LABEL)["data"], **change}) is None


def test_label_without_a_key_is_not_read():
    data = aigc_assertion(LABEL)["data"]
    del data["ReservedCode2"]
    assert read_aigc(data) is None


@given(payloads, st.from_regex(r"[a-z][a-z0-9-]{0,20}/[1-9][0-9]?", fullmatch=True))
def test_marks_come_back_in_both_forms(payload, scheme):
    data = soft_binding_assertion(payload, scheme)["data"]
    assert read_soft_binding(data) == (payload, scheme)
    block = data["blocks"][0]
    block["value"] = base64.b64encode(bytes(block["value"])).decode()
    assert read_soft_binding(data) == (payload, scheme)


def test_mark_value_is_the_payload_big_endian():
    data = soft_binding_assertion(Payload(issuer=7, serial=123456), "image-lattice/1")
    assert data["data"] == {
        "alg": "alt.synthmark.image-lattice.1",
        "blocks": [{"scope": {}, "value": [0, 0, 7, 0, 0, 1, 226, 64]}],
    }


@pytest.mark.parametrize(
    "scheme",
    ["", "image-lattice", "image-lattice/0", "Image/1", "a.b/1", "a/1\n", "/1"],
)
def test_names_that_are_no_scheme_are_refused(scheme):
    with pytest.raises(UsageError, match="not the name of a mark scheme"):
        algorithm_of(scheme)


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "com.adobe.trustmark.P"},
        {"alg": "alt.synthmark.image-lattice.1.evil"},
        {"alg": 5},
        {"blocks": []},
        {"blocks": [{"value": [1] * 8}, {"value": [2] * 8}]},
        {"blocks": [{"value": [1] * 7}]},
        {"blocks": [{"value": [256] * 8}]},
        {"blocks": [{"value": ["1"] * 8}]},
        {"blocks": [{"value": "no base64"}]},
        {"blocks": ["value"]},
    ],
)
def test_other_bindings_are_not_taken_for_ours(change):
    data = soft_binding_assertion(Payload(issuer=7, serial=1), "image-lattice/1")[
        "data"
    ]
    assert read_soft_binding({**data, **change}) is None


@given(json_values)
def test_any_json_is_read_without_an_exception(value):
    assert read_aigc(value) is None
    assert read_soft_binding(value) is None
    binding = {"alg": "alt.synthmark.image-lattice.1", "blocks": value}
    assert read_soft_binding(binding) is None
