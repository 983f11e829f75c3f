"""What a notice says, whoever wrote it.

GB 45438-2025 wants two elements in a wording: who made it (人工智能 or AI) and how
(生成 or 合成). Other vendors and other rules have looser forms, such as "AI创作" or
"Made with AI". A heading or a sentence that goes on, such as one about
"AI生成内容的标识办法", is no notice.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = [
    "ELEMENTS",
    "as_meant",
    "elements_of",
    "has_elements",
    "is_notice",
    "is_notice_like",
    "may_be_part",
]

# As part of another word, as in "AIGC" or "MAIN", the two letters are not the element.
_AI = r"(?:人工智能|(?<![A-Za-z])AI(?![A-Za-z]))"
_MADE = r"(?:生成|合成)"

ELEMENTS = {
    "the AI element (人工智能 or AI)": _AI,
    "the generation element (生成 or 合成)": _MADE,
}
"""What GB 45438-2025, 5.2 b), asks for in a wording, by name: regular expressions."""

# Nothing but the content itself may be named before and after the two elements.
_WHAT = (
    r"内容|文本|文字|文章|文|回答|回复|答案|信息|文档|页面|材料|作品|结果|图片?|音频"
    r"|视频"
)
_LEAD = (
    rf"(?:(?:本|以上|以下|上述|此|该|这|全|部分)*(?:{_WHAT})*"
    r"(?:均|皆|系|是|可能|疑似|部分|全部)*(?:为|由|经|使用|利用|通过)?\s*)"
)
_BETWEEN = r"(?:大?模型|技术|算法|系统|助手|自动|辅助|深度|或|[^\S\n]){0,4}"
_TAIL = r"(?:的?(?:内容|文本|文字|文章|回答|回复|作品|信息))?"
_REST = r"(?:\s*[,，;；。.:：!！·|/–—-].*)?"
_NOTICE = re.compile(
    rf"{_LEAD}(?:{_AI}{_BETWEEN}{_MADE}+|{_MADE}+自?{_AI}){_TAIL}{_REST}",
    re.DOTALL,
)
_BESIDE = re.compile(r"[·|/()]")
_IDEOGRAPH = re.compile(r"[\u2e80-\u9fff]")

# In pictures a vendor's name may stand before, and readers lose spaces and signs.
_SEEN_AI = r"(?:人工智[能慧]|(?<![A-Za-z])(?:AIGC|AI)(?![A-Za-z]))"
_SEEN_MADE = r"(?:生成|合成|创作|創作|制作|製作|绘制|绘画|作画|生图|换脸|配音)"
_SEEN_TAIL = r"的?(?:内容|作品|图[片像]?|圖[片像]?|画像|视频|影像|画面|音频)?"
_SEEN_CHINESE = re.compile(
    rf".{{0,12}}?{_SEEN_AI}(?:{_BETWEEN}|で|による)(?:或?{_SEEN_MADE})+{_SEEN_TAIL}"
    rf"(?:\W.*|[请仅不注非].*|[A-Za-z@].*)?|.{{0,8}}{_MADE}自?{_SEEN_AI}|AIGC\W*",
    re.DOTALL,
)
_DENIED = re.compile(
    r"[非不未无勿禁否](?:是|为|由|得|止|使|用|\s){0,4}(?:AI|人工智)|如何|怎[么样]"
)
_VERB = (
    r"(?:generated|created|made|produced|synthesi[sz]ed|edited|altered|modified"
    r"|manipulated|enhanced|assisted|imagined|drawn|rendered)"
)
_SUBJECT = r"(?:(?:this|the|all)?\s*[a-z]+\s*(?:is|was|are|were|has\s*been)\s*)?"
_MAKER = r"(?:(?:an?|[a-z]+)\s+){0,2}(?:AI|artificial\s*intelligence)"
_SEEN_ENGLISH = re.compile(
    r"(?:\S+\s+){0,2}?"
    rf"(?:(?:AI|artificial\s*intelligence)\W*{_VERB}(?![a-z])(?:\W+[a-z]+){{0,4}}"
    rf"|{_SUBJECT}{_VERB}(?:\s*(?:or|and|&|/)\s*{_VERB})?\W*(?:with|by|using|via)\W*"
    rf"{_MAKER}(?![a-z])(?:\W+[a-z]+){{0,2}})\W*",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"\b(?:not?|non|never|without|isn'?t|how)\b", re.IGNORECASE)
_PART = re.compile(r"AI|智[能慧]|[生合]|成|generat|creat|made", re.IGNORECASE)
# A capital I is read as what looks like one.
_MISREAD = re.compile(r"(?<![A-Za-z])A[ilı1|!丨](?=$|[^A-Za-z\d]|gener)")
_FRAME = " \t\u3000*_#~`[]【】「」『』《》<>|-–—·•=+:：。!！※★☆◆●△▲▶©®@"
_LONGEST_SEEN = 64


def elements_of(text: str) -> tuple[str, ...]:
    """Return the required elements in a text, each once."""
    return tuple(dict.fromkeys(re.findall(rf"{_AI}|{_MADE}", text)))


def has_elements(text: str) -> bool:
    """Tell whether a text holds both required elements."""
    return all(re.search(form, text) for form in ELEMENTS.values())


def is_notice(line: str) -> bool:
    """Tell whether a line is a notice in the words of the rule.

    Parameters
    ----------
    line : str
        In Unicode form NFKC, without decoration; maybe beside its translation.
    """
    if _NOTICE.fullmatch(line):
        return True
    parts = [part.strip() for part in _BESIDE.split(line)]
    others = [part for part in parts if not _NOTICE.fullmatch(part)]
    return len(others) < len(parts) and not any(map(_IDEOGRAPH.search, others))


def as_meant(line: str) -> str:
    """Return a line that was read from a picture without what reading does to it.

    Frames fall away, full-width letters become usual ones, and the capital I of AI
    is told from what looks like one.
    """
    plain = unicodedata.normalize("NFKC", line).strip(_FRAME)
    return _MISREAD.sub("AI", plain)


def is_notice_like(line: str) -> bool:
    """Tell whether a line that was read from a picture looks like a notice.

    Parameters
    ----------
    line : str
        As `as_meant` returns it.
    """
    if len(line) > _LONGEST_SEEN or _DENIED.search(line) or _REFUSED.search(line):
        return False
    return bool(
        is_notice(line)
        or _SEEN_CHINESE.fullmatch(line)
        or _SEEN_ENGLISH.fullmatch(line)
    )


def may_be_part(line: str) -> bool:
    """Tell whether a line may be a piece of one that looks like a notice."""
    return bool(_PART.search(line))
