"""The short pages that people read, in English and Chinese.

A page is plain text: a line for the verdict, a line for each layer, a line for each
disagreement. Everything on it is in the JSON document too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .model import (
    EXEMPT,
    UNSUPPORTED,
    Evidence,
    Finding,
    LabelResult,
    Layer,
    LayerResult,
    Media,
    Report,
    State,
)

__all__ = ["LANGUAGES", "finding_line", "label_page", "printable", "report_page"]

LANGUAGES = ("en", "zh")
MOST_SPANS = 8
MOST_LIKES = 3

Words = Mapping[str, str]

_EN: Words = {
    "confirmed": "CONFIRMED as AI-generated",
    "possible": "POSSIBLY AI-generated",
    "suspected": "SUSPECTED to be AI-generated",
    "none": "NO LABEL found",
    "none.note": "No label does not prove that it was not generated.",
    "notice": "notice",
    "mark": "mark",
    "aigc": "AIGC field",
    "iptc": "IPTC",
    "c2pa": "C2PA",
    "record": "record",
    "labeled": "labeled",
    "incomplete": "INCOMPLETE",
    "missing": "MISSING: {why}",
    "exempt": "none, as its user asked for and agreed to",
    "unsupported": "cannot be in a file of this kind",
    "too_small_for_mark": "it is too small for the mark",
    "mark_not_readable": "the mark does not read back from what was made",
    "too_small_for_notice": "it is too small for a legible notice",
    "notice.present": "“{text}”, {height:.1%} of the shorter side",
    "notice.heard": "“{text}” at {start_s:.1f} to {end_s:.1f} s{again}",
    "notice.seen": "“{text}”, {height:.1%} of the shorter side, {start_s:.1f} to "
    "{end_s:.1f} s{faults}",
    "late": "not on the first frame",
    "too_short": "for less than 2 s",
    "too_small": "too small",
    "off_edge": "not at an edge",
    "at.start": "at the start",
    "at.end": "at the end",
    "at.middle": "in the middle",
    "notice.absent": "none seen (other fonts and wordings are not read)",
    "notice.other": "none of synthmark's",
    "notice.unlike": "none seen, nor text that looks like one",
    "notice.like": "; text like a notice: {likes}",
    "like": "“{text}”, {height:.1%}{form}",
    "looser": " (not the rule's wording)",
    "notice.unread": "none at the start or end, nor as a paragraph of its own",
    "notice.unheard": "none heard (other voices and wordings are not recognized)",
    "notice.written": "“{text}”, {ink_height_px} px high, contrast {contrast}:1",
    "notice.viewed": "“{text}”, {height_fraction:.1%} of the first view, contrast "
    "{contrast}:1",
    "notice.placed": "“{text}”, {where}",
    "notice.spoken": "“{text}” at {start_s:.1f} to {end_s:.1f} s, {level_lufs} LUFS"
    "{again}",
    "again": ", again at {times} s",
    "mark.present": "payload {hex}, p = {p:.0e}{where}",
    "mark.unreadable": "there is one, but its payload cannot be read, p = {p:.0e}",
    "mark.absent": "none for {count} key(s)",
    "mark.not_checked": "not looked for: no key",
    "mark.written": "{scheme}, PSNR {psnr_db} dB",
    "mark.timed": "{scheme}{where}",
    "spans": ", in {spans} s",
    "rotated": ", rotated by {angle:.1f}°",
    "flipped": ", mirrored",
    "aigc.present": "label {label}, producer {content_producer}, no. {produce_id}",
    "aigc.absent": "no field",
    "aigc.malformed": "not well formed: {problems}",
    "aigc.conflicting": "{count} fields that contradict each other",
    "aigc.written": "{place}, producer {producer}",
    "iptc.present": "{types}",
    "iptc.absent": "no digital source type",
    "iptc.written": "{types}",
    "c2pa.trusted": "intact, signed by {signer}",
    "c2pa.untrusted": "intact, signed by {signer}, whom no trusted root vouches for",
    "c2pa.tampered": "BROKEN: changed after signing ({failures})",
    "c2pa.malformed": "BROKEN: {detail}",
    "c2pa.absent": "no manifest",
    "c2pa.written": "{action}",
    "development": "signed by a certificate for development only",
    "record.present": "no. {sequence}, {time}{same}",
    "record.absent": "not in the log",
    "record.not_checked": "no log was given",
    "record.written": "no. {sequence}",
    "same": ", this very file",
    "original": ", the original before it was labeled",
    "not_checked": "pixels without a file have none",
    "removed": "REMOVED",
    "altered": "ALTERED",
    "hidden": "HIDDEN",
    "forged": "FORGED",
    "copied": "COPIED",
    "manifest_broken": "the manifest does not fit the file",
    "label_malformed": "the label is not well formed",
    "labels_conflict": "there are labels that contradict each other",
    "label_is_not_the_signed_one": "the label differs from the one under the signature",
    "payload_is_not_the_bound_one": "the mark is not the one the manifest names",
    "number_is_not_the_recorded_one": "the label's number is not the recorded one",
    "mark_of_recorded_item_absent": "the log's item is marked, this one is not",
    "absent_though_marked": "gone, though the mark shows that it was there",
    "covered": "gone, though the whole frame is there: covered or painted over",
    "absent_though_recorded": "gone, though the record says that it was there",
}

_ZH: Words = {
    "confirmed": "已确认：AI生成",
    "possible": "可能为AI生成",
    "suspected": "疑似为AI生成",
    "none": "未发现标识",
    "none.note": "未发现标识不代表内容不是AI生成。",
    "notice": "显式标识",
    "mark": "隐形水印",
    "aigc": "AIGC字段",
    "iptc": "IPTC",
    "c2pa": "C2PA",
    "record": "记录",
    "labeled": "已标识",
    "incomplete": "标识不完整",
    "missing": "缺失：{why}",
    "exempt": "应用户要求并经其同意，未添加",
    "unsupported": "此类文件不能携带",
    "too_small_for_mark": "画面太小，无法嵌入水印",
    "mark_not_readable": "水印无法从生成的文件读回",
    "too_small_for_notice": "画面太小，无法容纳清晰的文字",
    "notice.present": "“{text}”，高度为最短边的{height:.1%}",
    "notice.heard": "“{text}”，{start_s:.1f}至{end_s:.1f}秒{again}",
    "notice.seen": "“{text}”，高度为最短边的{height:.1%}，"
    "{start_s:.1f}至{end_s:.1f}秒{faults}",
    "late": "起始画面没有",
    "too_short": "不足2秒",
    "too_small": "过小",
    "off_edge": "不在边缘",
    "at.start": "在开头",
    "at.end": "在结尾",
    "at.middle": "在中间",
    "notice.absent": "未见（不识别其他字体与措辞）",
    "notice.other": "未见synthmark的标识",
    "notice.unlike": "未见，也无近似标识的文字",
    "notice.like": "；近似标识的文字：{likes}",
    "like": "“{text}”，{height:.1%}{form}",
    "looser": "（措辞不合规）",
    "notice.unread": "开头、结尾及独立段落中均未见",
    "notice.unheard": "未听到（不识别其他嗓音与措辞）",
    "notice.written": "“{text}”，高{ink_height_px}像素，对比度{contrast}:1",
    "notice.viewed": "“{text}”，高度为初始视角的{height_fraction:.1%}，"
    "对比度{contrast}:1",
    "notice.placed": "“{text}”，{where}",
    "notice.spoken": "“{text}”，{start_s:.1f}至{end_s:.1f}秒，{level_lufs} LUFS{again}",
    "again": "，另于{times}秒",
    "mark.present": "载荷 {hex}，p = {p:.0e}{where}",
    "mark.unreadable": "存在，但载荷无法读出，p = {p:.0e}",
    "mark.absent": "{count}个密钥均未检出",
    "mark.not_checked": "未检查：没有密钥",
    "mark.written": "{scheme}，PSNR {psnr_db} dB",
    "mark.timed": "{scheme}{where}",
    "spans": "，{spans}秒",
    "rotated": "，旋转{angle:.1f}°",
    "flipped": "，镜像",
    "aigc.present": "Label {label}，服务提供者 {content_producer}，编号 {produce_id}",
    "aigc.absent": "无",
    "aigc.malformed": "格式不符：{problems}",
    "aigc.conflicting": "{count}个字段互相矛盾",
    "aigc.written": "{place}，生成服务提供者 {producer}",
    "iptc.present": "{types}",
    "iptc.absent": "无数字来源类型",
    "iptc.written": "{types}",
    "c2pa.trusted": "完整，签名者 {signer}",
    "c2pa.untrusted": "完整，签名者 {signer}，不在信任列表中",
    "c2pa.tampered": "已损坏：签名后被修改（{failures}）",
    "c2pa.malformed": "已损坏：{detail}",
    "c2pa.absent": "无清单",
    "c2pa.written": "{action}",
    "development": "仅供开发的证书",
    "record.present": "第{sequence}条，{time}{same}",
    "record.absent": "日志中没有",
    "record.not_checked": "未提供日志",
    "record.written": "第{sequence}条",
    "same": "，与此文件逐字节相同",
    "original": "，标识之前的原件",
    "not_checked": "仅有像素，没有文件",
    "removed": "被删除",
    "altered": "被篡改",
    "hidden": "被隐匿",
    "forged": "被伪造",
    "copied": "被复制",
    "manifest_broken": "清单与文件不符",
    "label_malformed": "标识格式不符",
    "labels_conflict": "存在互相矛盾的标识",
    "label_is_not_the_signed_one": "标识与签名保护的标识不同",
    "payload_is_not_the_bound_one": "水印不是清单所指的水印",
    "number_is_not_the_recorded_one": "编号与记录不符",
    "mark_of_recorded_item_absent": "记录中的内容带有水印，此文件没有",
    "absent_though_marked": "已消失，而水印表明它曾存在",
    "covered": "已消失，而画面完整：被遮盖或涂抹",
    "absent_though_recorded": "已消失，而记录表明它曾存在",
}

_WORDS = {"en": _EN, "zh": _ZH}


def report_page(report: Report, language: str = "en") -> str:
    """Return the page of a detection."""
    words = _WORDS[language]
    lines = [f"{report.file or '-'}: {words[report.verdict]}"]
    lines += [
        _line(words, one.layer, _evidence(words, one, report.media))
        for one in report.evidence
    ]
    lines += [finding_line(finding, language) for finding in report.findings]
    if report.verdict == "none":
        lines.append(f"  {words['none.note']}")
    return "\n".join(map(printable, lines))


def label_page(result: LabelResult, language: str = "en") -> str:
    """Return the page of a labeling."""
    words = _WORDS[language]
    status = words["labeled" if result.complete else "incomplete"]
    lines = [f"{result.target or result.source or '-'}: {status}"]
    lines += [
        _line(words, one.layer, _written(words, one, result.media))
        for one in result.layers
    ]
    lines += [f"  * {note}" for note in result.notes]
    return "\n".join(map(printable, lines))


def printable(text: str) -> str:
    """Escape what would break a line or steer a terminal: files bring such texts."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _line(words: Words, layer: Layer, text: str) -> str:
    # A Chinese character takes two columns.
    name = words[layer]
    columns = sum(2 if ord(character) > 0x2E80 else 1 for character in name)
    return f"  {name}{' ' * (12 - columns)}{text}"


def finding_line(finding: Finding, language: str = "en") -> str:
    """Return the line of a page that tells a finding."""
    words = _WORDS[language]
    return f"  ! {words[finding.kind]}: {words[finding.layer]}: {words[finding.reason]}"


def _evidence(words: Words, evidence: Evidence, media: Media) -> str:
    key = f"{evidence.layer}.{evidence.state}"
    if evidence.layer is Layer.NOTICE and media is Media.TEXT:
        key = "notice.placed" if evidence.state is State.PRESENT else "notice.unread"
    if evidence.layer is Layer.NOTICE and media is Media.AUDIO:
        key = "notice.heard" if evidence.state is State.PRESENT else "notice.unheard"
    if key == "notice.present" and media is Media.VIDEO:
        key = "notice.seen"
    like = evidence.detail.get("notice_like")
    if key == "notice.absent" and like is not None:
        key = "notice.other" if like else "notice.unlike"
    if key not in words:
        return words[evidence.state]
    text = words[key].format(**_facts(words, evidence))
    return text + (_likes(words, like) if like else "")


def _facts(words: Words, evidence: Evidence) -> dict[str, Any]:
    """Return what the line of a layer names."""
    detail = evidence.detail
    if evidence.layer is Layer.NOTICE and detail.get("notices"):
        first, *others = detail["notices"]
        faults = ", ".join(words[fault] for fault in first.get("faults", ()))
        return {
            **first,
            "height": first.get("height_fraction"),
            "where": words.get(f"at.{first.get('place')}"),
            "faults": faults and f" ({faults})",
            "again": _again(words, others),
        }
    if evidence.layer is Layer.MARK and detail:
        payload = detail["payload"]
        return {
            "hex": payload and payload["hex"],
            "p": detail["p_value"],
            "count": len(detail["keys"]),
            "where": _geometry(words, detail["transform"])
            + _spans(words, detail.get("spans")),
        }
    if evidence.layer is Layer.AIGC:
        return {
            **(detail.get("label") or {}),
            "problems": ", ".join(detail.get("problems", ())),
            "count": len(detail.get("places", ())),
        }
    if evidence.layer is Layer.IPTC:
        types = detail.get("source_types", ())
        return {"types": ", ".join(value.rsplit("/", 1)[-1] for value in types)}
    if evidence.layer is Layer.C2PA and detail:
        return {
            "signer": detail["signer_name"] or detail["signer_organization"] or "?",
            "failures": ", ".join(detail["failures"]),
            "detail": detail["detail"],
        }
    if evidence.layer is Layer.RECORD and evidence.state is State.PRESENT:
        how = "same" if detail["same_bytes"] else detail["found_by"]
        return {**detail, "same": words[how] if how in ("same", "original") else ""}
    return {}


def _likes(words: Words, notices: Sequence[Mapping[str, Any]]) -> str:
    likes = "; ".join(
        words["like"].format(
            text=one["text"],
            height=one["height_fraction"],
            form="" if one["as_ruled"] else words["looser"],
        )
        for one in notices[:MOST_LIKES]
    )
    return words["notice.like"].format(likes=likes)


def _geometry(words: Words, transform: Mapping[str, Any] | None) -> str:
    if transform is None:
        return ""
    angle = transform["rotation_deg"]
    text = words["rotated"].format(angle=angle) if abs(angle) >= 0.1 else ""
    return text + (words["flipped"] if transform["flipped"] else "")


def _spans(words: Words, spans: Sequence[Sequence[float]] | None) -> str:
    if not spans:
        return ""
    shown = ", ".join(f"{start:.1f}-{end:.1f}" for start, end in spans[:MOST_SPANS])
    more = " ..." if len(spans) > MOST_SPANS else ""
    return words["spans"].format(spans=shown + more)


def _again(words: Words, notices: Sequence[Mapping[str, Any]]) -> str:
    times = [notice["start_s"] for notice in notices if "start_s" in notice]
    if not times:
        return ""
    shown = ", ".join(f"{start:.1f}" for start in times[:MOST_SPANS])
    more = " ..." if len(times) > MOST_SPANS else ""
    return words["again"].format(times=shown + more)


def _written(words: Words, result: LayerResult, media: Media) -> str:
    if not result.written:
        why = words.get(result.reason, result.reason)
        meant = result.reason in (EXEMPT, UNSUPPORTED)
        return why if meant else words["missing"].format(why=why)
    detail = dict(result.detail)
    detail["types"] = detail.get("source_type", "").rsplit("/", 1)[-1]
    detail["where"] = _spans(words, detail.get("spans"))
    key = f"{result.layer}.written"
    if result.layer is Layer.NOTICE and media is Media.TEXT:
        key = "notice.placed"
        place = detail["place"] if isinstance(detail["place"], str) else "middle"
        detail["where"] = words[f"at.{place}"]
    if result.layer is Layer.NOTICE and media is Media.AUDIO:
        key = "notice.spoken"
        detail["again"] = _again(words, detail["again"])
    if "view" in detail:
        key = "notice.viewed"
    if result.layer is Layer.MARK and media is not Media.IMAGE:
        key = "mark.timed"
    text = words[key].format(**detail)
    return f"{text}, {words['development']}" if detail.get("development") else text
