"""A few fields of everyday life and the words that give them away.

"I am vegetarian" and "plan a dinner menu" share no word, and a small embedding model puts them barely
closer than chance. That both speak of food is what a preference needs to be offered.
"""

from __future__ import annotations

import re

from satchel.recall.query import stem, stems

_TOPICS = {
    "food": """
        allergic allergy appetizer bake beer beverage bistro bread breakfast brunch cafe cake cheese
        chef chicken chocolate coffee cook cooking cuisine curry dairy dessert diet dine dining
        dinner dish drink eat eating egg espresso fish food fruit gluten grocery halal ingredient
        kitchen kosher lactose lunch meal meat menu milk noodle nut pasta peanut picnic pizza recipe
        restaurant rice salad sandwich seafood snack soup spice spicy steak sushi sweet tea vegan
        vegetable vegetarian wine
    """,
    "travel": """
        abroad accommodation airbnb airline airport backpack beach bus camping cruise destination
        drive ferry flight fly flying holiday hostel hotel itinerary journey landmark luggage museum
        passport plane resort road route sightseeing stay tour tourist train transport travel
        traveling trip vacation visit weekend
    """,
    "film": """
        actor anime cinema comedy documentary film horror movie netflix series show thriller tv
    """,
    "music": """
        album band concert guitar jazz listen music opera piano playlist podcast rock singer song
    """,
    "books": "author book fiction library literature novel poem poetry read reader reading",
    "sport": """
        bike climb climbing cycling exercise fitness football gym hike hiking marathon pilates race
        run running ski sport swim swimming tennis walk workout yoga
    """,
    "code": """
        api code coding database framework function ide java javascript language library linux php
        program programming python rust script sql typescript
    """,
    "work": """
        career colleague email interview job manager meeting office remote resume salary work
    """,
    "home": """
        apartment decor decorate flat furniture garden gardening house interior kitchen lamp room
        sofa
    """,
    "clothes": """
        clothes clothing coat dress fabric fashion jacket jewelry outfit shirt shoe sneaker suit
        wear
    """,
    "gifts": "birthday christmas gift present surprise",
    "learning": """
        class course exam learn learning lesson online school study teach teacher tutorial
    """,
    "money": """
        bank budget buy cash cheap expensive finance invest investment money mortgage price save
        saving shop shopping spend stock
    """,
    "health": """
        doctor health illness insomnia meditation mental pain sleep sleeping stress supplement
        therapy vitamin wellness
    """,
    "gadgets": """
        android app camera computer device headphone iphone keyboard laptop monitor phone smartphone
        tablet
    """,
    "pets": "animal cat dog kitten pet puppy vet veterinarian",
    "social": """
        celebrate celebration date evening event friend game gathering hobby party puzzle
    """,
}  # fmt: skip
_CHINESE_TOPICS = {
    "food": "吃 喝 饭 菜 餐 食 茶 咖啡 酒 辣 素 料理",
    "travel": "旅 游 酒店 宾馆 机票 飞机 火车 高铁 出行 度假 景点 城市",
    "film": "电影 电视 剧",
    "music": "音乐 歌 乐队",
    "books": "书 小说 阅读",
    "sport": "运动 跑步 健身 足球 游泳 锻炼",
    "code": "代码 编程 程序",
    "work": "工作 面试 会议 职业",
    "home": "家具 房 装修",
    "clothes": "衣 鞋 穿",
    "gifts": "礼物 生日",
    "learning": "学习 课程 考试",
    "money": "钱 买 投资 价格",
    "health": "健康 睡 医",
    "gadgets": "手机 电脑",
    "pets": "猫 狗 宠物",
    "social": "朋友 聚会 爱好 游戏",
}

_BY_STEM: dict[str, set[str]] = {}
for _topic, _words in _TOPICS.items():
    for _word in _words.split():
        _BY_STEM.setdefault(stem(_word), set()).add(_topic)
_BY_CHARACTERS = [(characters, topic) for topic, words in _CHINESE_TOPICS.items() for characters in words.split()]
_HAS_CHINESE = re.compile("[\u4e00-\u9fff]")


def topics(text: str) -> set[str]:
    """The names of the fields that `text` speaks of; mostly none or one."""
    return topics_of(stems(text), text)


def topics_of(words: set[str], text: str) -> set[str]:
    """The same for a `text` whose stems are at hand."""
    found: set[str] = set()
    for word in words & _BY_STEM.keys():
        found |= _BY_STEM[word]
    if _HAS_CHINESE.search(text):
        found |= {topic for characters, topic in _BY_CHARACTERS if characters in text}
    return found
