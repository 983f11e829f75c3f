"""Make the fonts of the notices: renamed subsets of Noto Sans.

    python samples/make_font.py CJK.ttc Arabic.ttf Hebrew.ttf

takes NotoSansCJK-Medium, NotoSansArabic-Regular and NotoSansHebrew-Regular; the last
two are for translations that run from right to left. Needs fonttools. License and
copyright of the origin stay in the fonts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FAMILY = "Synthmark Notice"
FOLDER = Path(__file__).parents[1] / "labeling/notices/fonts"
TARGET = FOLDER / "synthmark-notice.otf"
SHAPED = {"arabic": range(0x0600, 0x0700), "hebrew": range(0x0590, 0x0600)}

LATIN = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)])) + "–—‘’“”•…"
FULL_WIDTH = "\u3000、。《》「」『』【】！（），／：；？～｜"
SIMPLIFIED = """
人工智能生成合内容本图片视频音文章字由以上下可疑似为换脸数虚拟场景仅供参考提示声明标识志语配乐歌曲唱旁白朗读
模仿真影像照画面作品素材创制辅助编辑修改处理增强复色翻译写润撰摘要总结大型算法深度伪机器自动技术服务平台用户
者来源未经核实注意请谨慎甄辨别构非拍现代表观点立演测试广告包含有部分全通过使利采基于式系统手对话回答案果述列
该此页界游戏直播主形象角物漫绘插设计幕封背头签水印记显隐元据名时间号备网信版年月日秒第个等的了和与或及是在已
将被所其不无均都勿切转载盗侵权投诉举报责任负风险律规定办何应须需会我们您他她它己社区限开放码种类级阅看听见感
谢更多少小前后中外左右新旧从而但并且因如若则仍还只也让把给向至每次份否当事属国家准融混特效重建超清抠消除扩展
补帧描首尾交互流陪伴客问医疗教育闻娱电商货带说确认同保护
"""
TRADITIONAL = """
內圖視頻訊為換臉數虛擬場僅參聲標識誌語樂讀畫製輔編輯處強復譯寫潤總結機動術務臺戶來經實請謹別構現觀點測試廣過
採於統對話個應頁遊戲設計頭簽記顯隱據時間號備網與將無轉載盜權訴舉報責險規辦國準擴補說確認護產軟體
"""


def main(source: str) -> None:
    """Write the font file from the collection at `source`."""
    fonts = TTCollection(source).fonts
    font = next(f for f in fonts if "CJK SC" in f["name"].getBestFamilyName())
    options = Options(hinting=False, layout_features=[], notdef_outline=True)
    options.name_IDs = [0, 5, 8, 9, 11, 13, 14]
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    subsetter = Subsetter(options)
    subsetter.populate(text=LATIN + FULL_WIDTH + SIMPLIFIED + TRADITIONAL)
    subsetter.subset(font)
    postscript = FAMILY.replace(" ", "") + "-Medium"
    names = {1: FAMILY, 2: "Regular", 3: postscript, 4: FAMILY, 6: postscript}
    for name_id, text in names.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font["CFF "].cff.fontNames = [postscript]
    top = font["CFF "].cff.topDictIndex[0]
    top.FullName = top.FamilyName = FAMILY
    for number, part in enumerate(top.FDArray):
        part.FontName = f"{postscript}-{number}"
    font.recalcTimestamp = False
    font.save(TARGET)


def shaped(source: str, script: str) -> None:
    """Write the font file of a script, with what shapes its letters."""
    font = TTFont(source)
    options = Options(hinting=False, notdef_outline=True)
    options.name_IDs = [0, 5, 8, 9, 11, 13, 14]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[0x20, *SHAPED[script]])
    subsetter.subset(font)
    family = f"{FAMILY} {script.title()}"
    names = {1: family, 2: "Regular", 3: family, 4: family, 6: family.replace(" ", "")}
    for name_id, text in names.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font.recalcTimestamp = False
    font.save(FOLDER / f"synthmark-{script}.ttf")


if __name__ == "__main__":
    main(sys.argv[1])
    for path, name in zip(sys.argv[2:], SHAPED, strict=True):
        shaped(path, name)
