"""The sites that Google Analytics takes for search engines, social networks, video sites, shops and AI assistants."""

import re
from enum import Enum

__all__ = ["Category", "category_of"]


class Category(Enum):
    """What kind of site a source is."""

    SEARCH = "search"
    SOCIAL = "social"
    VIDEO = "video"
    SHOPPING = "shopping"
    ASSISTANT = "assistant"


# Google's published list of sources and their categories, to which the page of the default channel group links:
# https://support.google.com/analytics/answer/9756891. As of September 2026 it has 819 entries. It names many sites
# several times: by a bare name, by a domain, and by hosts of that domain. Here each is named once:
# `facebook[.com]` stands for `facebook` and `facebook.com`; a domain of a category other than search stands for its
# subdomains too, such as `l.facebook.com` and `vn.linkedin.com`.
_SEARCH = """
    360.cn alice aol ask auone avg babylon baidu biglobe biglobe.co.jp biglobe.ne.jp bing centrum.cz cn.bing.com cnn
    comcast conduit cse.google.com daum daum.net dogpile[.com] duckduckgo ecosia.org email.seznam.cz eniro exalead.com
    excite.com firmy.cz globo go.mail.ru google-play google[.com] googlemybusiness incredimail kvasir lite.qwant.com
    lycos m.baidu.com m.naver.com m.search.naver.com m.sogou.com mail.google.com mail.rambler.ru mail.yandex.ru
    msn[.com] najdi naver[.com] news.google.com ntp.msn.com onet onet.pl qwant[.com] rakuten rakuten.co.jp rambler
    rambler.ru search-results search.aol.co.uk search.aol.com search.google.com search.smt.docomo.ne.jp search.ukr.net
    secureurl.ukr.net seznam seznam.cz so.com sogou[.com] sp-web.search.auone.jp startsiden startsiden.no suche.aol.de
    terra tut.by ukr virgilio wap.sogou.com webmaster.yandex.ru websearch.rakuten.co.jp yahoo[.com] yahoo.co.jp yandex
    yandex.by yandex.com yandex.com.tr yandex.fr yandex.kz yandex.ru yandex.ua yandex.uz zen.yandex.ru
"""
_SOCIAL = """
    43things[.com] 51.com 5ch.net academia.edu activerain[.com] activeworlds[.com] addthis[.com] airg.ca allnurses.com
    allrecipes.com alumniclass[.com] ameba.jp ameblo.jp americantowns[.com] ancestry.com anobii[.com] answerbag[.com]
    answers.yahoo.com aolanswers[.com] artstation.com askubuntu[.com] asmallworld.com athlinks[.com] awe.sm
    b.hatena.ne.jp baby-gaga[.com] babyblog.ru badoo[.com] bebo[.com] beforeitsnews[.com] bharatstudent[.com] biip.no
    biswap.org bit.ly blackcareernetwork.com blackplanet[.com] blip.fm blog.com blog.feedspot.com blog.goo.ne.jp
    blog.naver.com blog.yahoo.co.jp blogg.no bloggang.com blogger[.com] blogher[.com] bloglines[.com] blogs.com
    blogsome[.com] blogspot[.com] blogster[.com] blurtit[.com] bookmarks.yahoo.co.jp bookmarks.yahoo.com
    brightkite[.com] brizzly[.com] buzzfeed[.com] buzznet[.com] cafe.naver.com cafemom[.com] camospace[.com]
    canalblog.com care.com care2[.com] caringbridge.org catster[.com] cbnt.io cellufun[.com] centerblog.net chat.zalo.me
    chegg.com chicagonow[.com] chiebukuro.yahoo.co.jp classmates[.com] classquest[.com] cocolog-nifty[.com]
    copainsdavant.linternaute.com couchsurfing.org cozycot[.com] cross.tv crunchyroll[.com] cyworld[.com] d.hatena.ne.jp
    dailystrength.org deluxe.com deviantart[.com] dianping[.com] digg[.com] diigo[.com] discover.hubpages.com
    disqus[.com] dogster[.com] dol2day[.com] doostang[.com] dopplr[.com] douban[.com] draugiem.lv drugs-forum[.com]
    dzone[.com] edublogs.org elftown[.com] epicurious.com everforo.com exblog.jp extole[.com] facebook[.com]
    faceparty[.com] fandom.com fanpop[.com] fark[.com] fb fb.me fc2[.com] feedspot feministing[.com] filmaffinity[.com]
    flickr[.com] flipboard[.com] folkdirect[.com] foodservice[.com] forums.androidcentral.com forums.crackberry.com
    forums.imore.com forums.nexopia.com forums.webosnation.com forums.wpcentral.com fotki[.com] fotolog[.com]
    foursquare[.com] friendfeed[.com] fruehstueckstreff.org fubar[.com] gaiaonline[.com] gamerdna[.com] gather.com
    geni.com getpocket.com glassboard[.com] glassdoor[.com] godtube[.com] goldenline.pl goldstar[.com] goo.gl gooblog
    goodreads[.com] google+ googlegroups.com googleplus govloop[.com] gowalla[.com] gree.jp groups.google.com gulli.com
    gutefrage.net habbo[.com] hatena hi5[.com] hootsuite[.com] houzz[.com] hoverspot[.com] hr.com hubculture[.com]
    hubpages.com hyves.net hyves.nl ibibo[.com] identi.ca ig imageshack[.com] imageshack.us imvu[.com]
    insanejournal[.com] instagram[.com] instapaper[.com] internations.org interpals.net intherooms[.com]
    irc-galleria.net is.gd italki[.com] jammerdirect[.com] jappy.com jappy.de kaboodle.com kakao[.com] kakaocorp.com
    kaneva[.com] kin.naver.com last.fm librarything[.com] lifestream.aol.com line line.me linkedin[.com] listal[.com]
    listography[.com] livedoor.com livedoorblog livejournal[.com] lnkd.in m.blog.naver.com m.cafe.naver.com
    m.kin.naver.com mbga.jp medium.com meetin.org meetup[.com] meinvz.net meneame.net menuism.com messages.google.com
    messages.yahoo.co.jp messenger[.com] mix.com mixi.jp mocospace[.com] mouthshut[.com] movabletype[.com] mubi[.com]
    my.opera.com myanimelist.net myheritage[.com] mylife[.com] mymodernmet[.com] myspace[.com] netvibes[.com]
    news.ycombinator.com newsshowcase nexopia ngopost.org niconico nicovideo.jp nightlifelink[.com] ning[.com]
    odnoklassniki.ru odnoklassniki.ua okwave.jp oneworldgroup.org onstartups[.com] opendiary[.com] oshiete.goo.ne.jp
    over-blog.com overblog.com paper.li partyflock.nl photobucket[.com] pinboard pinboard.in pingsta[.com]
    pinterest[.com] pinterest.at pinterest.ca pinterest.ch pinterest.cl pinterest.co.kr pinterest.co.uk pinterest.com.au
    pinterest.com.mx pinterest.de pinterest.es pinterest.fr pinterest.it pinterest.jp pinterest.nz pinterest.ph
    pinterest.pt pinterest.ru pinterest.se pixiv.net playahead.se plurk[.com] plus.google.com plus.url.google.com
    pocket.co posterous[.com] pro.homeadvisor.com pulse.yahoo.com qapacity[.com] quechup[.com] quora[.com] qzone.qq.com
    ravelry[.com] reddit[.com] redux[.com] renren[.com] researchgate.net reunion[.com] reverbnation[.com] rtl.de
    ryze[.com] salespider[.com] scoop.it screenrant[.com] scribd[.com] scvngr[.com] secondlife[.com] serverfault[.com]
    shareit sharethis[.com] shvoong.com sites.google.com skype skyrock[.com] slashdot.org slideshare.net smartnews.com
    snapchat[.com] sociallife.com.br socialvibe[.com] spaces.live.com spoke[.com] spruz[.com] ssense.com stackapps[.com]
    stackexchange[.com] stackoverflow[.com] stardoll.com stickam[.com] studivz.net suomi24.fi superuser[.com]
    sweeva[.com] t.co t.me tagged[.com] taggedmail[.com] talkbiznow[.com] taringa.net techmeme[.com] tencent[.com]
    tiktok[.com] tinyurl[.com] toolbox[.com] travellerspoint[.com] tripadvisor[.com] trombi[.com] tudou[.com]
    tuenti[.com] tumblr[.com] tweetdeck[.com] twitter[.com] twoo.com typepad[.com] unblog.fr urbanspoon.com ushareit.com
    ushi.cn vampirefreaks[.com] vampirerave[.com] vg.no video.ibm.com vk.com vkontakte.ru wakoopa[.com] wattpad[.com]
    web.skype.com webshots[.com] wechat[.com] weebly[.com] weibo[.com] wer-weiss-was.de weread[.com] whatsapp[.com]
    wiki.answers.com wikihow.com wikitravel.org woot.com wordpress[.com] wordpress.org xanga[.com] xing[.com]
    yahoo-mbga.jp yammer[.com] yelp[.com] yelp.co.uk youroom.in zalo zoo.gr zooppa[.com]
"""
_VIDEO = """
    crackle[.com] curiositystream[.com] d.tube dailymotion[.com] disneyplus[.com] fast.wistia.net hulu[.com] iq.com
    iqiyi[.com] justin.tv netflix[.com] ted[.com] twitch twitch.tv utreon[.com] veoh[.com] viadeo.journaldunet.com
    vimeo[.com] wistia[.com] youku[.com] youtube[.com]
"""
_SHOPPING = """
    aax-us-east.amazon-adsystem.com aax.amazon-adsystem.com alibaba[.com] amazon[.com] amazon.co.uk ebay[.com]
    ebay.co.uk ebay.com.au ebay.de etsy[.com] igshopping mercadolibre[.com] mercadolibre.com.ar mercadolibre.com.mx
    nl.shopping.net no.shopping.net s3.amazonaws.com se.shopping.net shop.app shopify[.com] shopping.naver.com
    shopping.yahoo.co.jp shopping.yahoo.com shopzilla[.com] simplycodes.com stripe[.com] uk.shopping.net walmart[.com]
"""
# Google does not publish the list of assistants. These are the ones that its announcement of May 2026 and its help
# page name: ChatGPT, Gemini, Claude, Copilot, Grok and DeepSeek.
_ASSISTANT = "chatgpt.com chat.openai.com claude.ai copilot.microsoft.com deepseek.com gemini.google.com grok.com"

_NAMES = {
    Category.SEARCH: _SEARCH,
    Category.SOCIAL: _SOCIAL,
    Category.VIDEO: _VIDEO,
    Category.SHOPPING: _SHOPPING,
    Category.ASSISTANT: _ASSISTANT,
}
_WITH_SPACE = {"google shopping": Category.SHOPPING}

# As Google Analytics does, the pages of results of a search engine in any country count as the engine.
_ENGINE = re.compile(
    r"(?:(?:www|m|(?:[a-z]+\.)?search)\.)?"
    r"(?:aol|ask|baidu|bing|daum|duckduckgo|ecosia|google|naver|qwant|seznam|sogou|yahoo|yandex)"
    r"\.(?:com?\.)?[a-z]{2,3}"
)
_LONGEST = 253  # characters of a host (RFC 1035); a longer source is not one of these


def _spelled_out() -> dict[str, Category]:
    found = dict(_WITH_SPACE)
    for category, names in _NAMES.items():
        for name in names.split():
            short = name.removesuffix("[.com]")
            found |= {short: category} if short == name else {short: category, f"{short}.com": category}
    return found


_CATEGORIES = _spelled_out()


def category_of(source: str) -> Category | None:
    """Look up the category of a source: a host, or a name such as `facebook`; case and `www.` do not matter.

    Returns:
        None if the source is not on the list. A subdomain has the category of the nearest domain that is on it, except
        in a search engine's domain, of which only the pages of results and the listed hosts count: a visitor who comes
        from `accounts.google.com` has not searched.
    """
    if len(source) > _LONGEST:
        return None
    name = source.lower().removeprefix("www.")
    if name in _CATEGORIES:
        return _CATEGORIES[name]
    if _ENGINE.fullmatch(name):
        return Category.SEARCH
    while "." in name:
        name = name.partition(".")[2]
        if name in _CATEGORIES and "." in name:
            category = _CATEGORIES[name]
            return None if category is Category.SEARCH else category
    return None
