"""Wordings: what the law wants in them, and what the font can draw."""

from __future__ import annotations

import pytest

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.wording import (
    MAX_LENGTH,
    WORDINGS,
    cells,
    check_wording,
    required_characters,
    segments,
)


@pytest.mark.parametrize("text", WORDINGS.values())
def test_default_wordings_are_legal(text: str) -> None:
    check_wording(text)


@pytest.mark.parametrize(
    "text",
    [
        "人工智能生成",
        "AI合成",
        "本图片由人工智能生成合成，仅供参考",
        "生成自AI",
        "可能为AI生成",
        "疑似為AI合成內容",
        "Made with AI (AI生成)",
    ],
)
def test_both_elements_in_any_order_suffice(text: str) -> None:
    check_wording(text)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("AI-generated", ["生成 or 合成"]),
        ("自动生成", ["人工智能 or AI"]),
        ("AIGC生成", ["人工智能 or AI"]),
        ("MAIN生成", ["人工智能 or AI"]),
        ("ai生成", ["人工智能 or AI"]),
        ("Generated", ["人工智能 or AI", "生成 or 合成"]),
    ],
)
def test_missing_element_is_named_with_its_clause(
    text: str, missing: list[str]
) -> None:
    with pytest.raises(UsageError, match=r"GB 45438-2025, 5\.2 b\)") as caught:
        check_wording(text)
    for element in ("人工智能 or AI", "生成 or 合成"):
        assert (element in caught.value.problem) == (element in missing)


def test_characters_that_the_font_lacks_are_named() -> None:
    with pytest.raises(UsageError, match=r"龘 \(U\+9F98\), 😀 \(U\+1F600\)"):
        check_wording("AI生成龘😀龘")
    with pytest.raises(UsageError, match=r"U\+0710"):  # Syriac
        check_wording("AI生成 · ܐ")


@pytest.mark.parametrize("script", ["נוצר על ידי AI", "محتوى مُولَّد", "٣"])
def test_only_a_translation_runs_from_right_to_left(script: str) -> None:
    check_wording(f"AI生成 · {script}")
    for text in (f"AI生成{script}", f"{script} · AI生成"):
        with pytest.raises(UsageError, match="runs from left to right") as caught:
            check_wording(text)
        assert f"U+{ord(script[0]):04X}" in caught.value.problem


def test_letters_that_must_be_shaped_need_what_shapes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synthmark.labeling.notices.wording.can_shape", lambda: False)
    with pytest.raises(UsageError, match="from right to left here"):
        check_wording("AI生成 · ذكاء")
    check_wording("AI生成 · AI-generated")


@pytest.mark.parametrize(
    ("text", "lying"),
    [
        ("AI生成，仅供参考", "， (U+FF0C)"),
        ("（AI生成）", "（ (U+FF08), ） (U+FF09)"),
        ("Made with AI (AI生成)", "M (U+004D)"),
    ],
)
def test_a_column_takes_only_what_stands_upright(text: str, lying: str) -> None:
    check_wording(text)
    with pytest.raises(UsageError, match="upright in a column") as caught:
        check_wording(text, vertical=True)
    assert lying in caught.value.problem


def test_a_column_has_one_place_for_every_ideograph_and_for_letters_together() -> None:
    check_wording("本图片由 AI 生成 · Made by AI, as (said)", vertical=True)
    assert cells("本图片由 AI 生成") == [*"本图片由", "AI", "生", "成"]


@pytest.mark.parametrize(
    "text", ["AI生成\n", "AI\u200b生成", "\u202eAI生成", "AI生成\u2028", "AI\x00生成"]
)
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"control characters: U\+"):
        check_wording(text)


@pytest.mark.parametrize("text", ["", "   ", "\u3000"])
def test_empty_wording_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no wording"):
        check_wording(text)


def test_length_is_limited() -> None:
    core = "AI生成"
    check_wording(core + "图" * (MAX_LENGTH - len(core)))
    with pytest.raises(UsageError, match="characters"):
        check_wording(core + "图" * (MAX_LENGTH - len(core) + 1))


def test_only_what_is_legal_alone_is_parted_from_its_translation() -> None:
    assert segments("AI生成 · AI-generated") == ("AI生成", "AI-generated")
    assert segments("Made with AI · 合成") == ("Made with AI · 合成", "")
    assert segments("AI生成 · ") == ("AI生成 ·", "")


def test_required_characters_are_those_of_the_elements() -> None:
    assert required_characters("本图片由AI生成") == set("AI生成")
    assert required_characters("MAIN人工智能合成") == set("人工智能合成")
