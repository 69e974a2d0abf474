"""How values of each kind look: regular expressions for polars, whose engine is linear in time.

They say what is well-formed, not what exists: an e-mail address that fits may have no mailbox.
"""

from __future__ import annotations

import re


def word_set(text: str) -> frozenset[str]:
    """Return the words of *text*."""
    return frozenset(text.split())


EMAIL = r"^[^\s@\"(),:;<>\[\\\]]+@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}\p{L}+$"
ADDRESSED = r"^[^<>@]*<[^<>@\s]+@[^<>@\s]+\.\p{L}+>$"
"""A name and an e-mail address in angle brackets."""
URL = (
    r"(?i)^(?:(?:https?|ftps?|sftp|s3|gs|file|wss?|ssh|git)://[^\s<>\"]+"
    r"|mailto:[^\s<>\"]+|www\.[^\s<>\"]+\.[^\s<>\"]+)$"
)
DOMAIN = (
    r"(?i)^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|org|net|edu|gov|mil|int|info|io|ai|app|dev|co|biz|eu|uk|de|fr|nl|ch|at|it|es|ru|cn"
    r"|jp|br|in|us|ca|au|pl|se|no|fi|dk|be)(?:/[^\s]*)?$"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
IPV4 = rf"^{_IPV4}(?:/(?:3[0-2]|[12]?\d)|:\d{{1,5}}|\s?-\s?{_IPV4})?$"
_GROUP = r"[0-9a-f]{1,4}"
IPV6 = (
    rf"(?i)^(?:(?:{_GROUP}:){{7}}{_GROUP}|(?:{_GROUP}:){{0,6}}:(?:{_GROUP}(?::{_GROUP}){{0,6}})?"
    rf"|(?:{_GROUP}:){{0,6}}:?(?:{_GROUP}:){{0,5}}{_IPV4})(?:%\w+)?(?:/\d{{1,3}})?$"
)
IP = rf"(?:{IPV4})|(?:{IPV6})"
UUID = r"(?i)^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$"
JSON_OBJECT = r"(?s)^\s*\{\s*(?:\"(?:[^\"\\]|\\.)*\"\s*:.*)?\}\s*$"
BRACKETED = r"(?s)^\s*(?:\[.*\]|\{[^:]*\})\s*$"
"""A list in brackets, and PostgreSQL's arrays in braces."""
SLUG = r"^[a-z0-9]+(?:[-_./]+[a-z0-9]+)+$"
PHONE = r"^(?:\+|00)?\(?\d[\d\s().\-/]{5,20}\d(?:\s*(?:x|ext\.?|#)\s*\d{1,6})?$"
PHONE_MARKED = (
    r"^(?:\+\d|00\d|\(\d|\d{3}[-. ]\d{3}[-. ]\d{4}"
    r"|1?[-. ]?\(?\d{3}\)[-. ]?\d{3}|0\d{1,4}[ /-]\d)"
)
"""What tells a phone number from another: a plus, parentheses, or its groups."""
DURATION_ISO = r"^-?P(?:\d+(?:\.\d+)?[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?$"
DURATION_WORDS = (
    r"(?i)^(?:\d+(?:[.,]\d+)?\s*(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m"
    r"|hours?|hrs?|h|days?|d|weeks?|wks?|w|months?|mos?|years?|yrs?|y)\.?"
    r"(?:\s*(?:,|and)?\s*|$))+$"
)
DURATION_CLOCK = r"^-?(?:\d+ days?,? )?\d{1,4}:[0-5]\d:[0-5]\d(?:[.,]\d+)?$"
GEO_PAIR = (
    r"(?i)^(?:POINT\s*)?[(\[]?\s*['\"]?[-+]?\d{1,3}\.\d+\s*°?\s*[NS]?['\"]?\s*[,; ]\s*['\"]?\s*"
    r"[-+]?\d{1,3}\.\d+\s*°?\s*[EW]?['\"]?\s*[)\]]?$"
)
GEO_DEGREES = (
    r"(?i)^\d{1,3}\s*°\s*\d{1,2}(?:\.\d+)?\s*['′]?"
    r"\s*(?:\d{1,2}(?:\.\d+)?\s*[\"″]?)?\s*[NSEW]?$"
)
GEO = (GEO_PAIR, GEO_DEGREES, r"^[-+]\d{4,6}(?:\.\d+)?[-+]\d{5,7}(?:\.\d+)?/?$")
"""Pairs of decimals, degrees with minutes, and ISO 6709."""
LANGUAGE_TAG = r"^[a-z]{2,3}(?:[-_](?:[A-Z][a-z]{3}))?(?:[-_](?:[A-Z]{2}|\d{3}))?$"
ZIPS = (
    r"^\d{4,6}$",
    r"^\d{5}-\d{4}$",
    r"(?i)^[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}$",
    r"(?i)^[a-z]\d[a-z][ -]?\d[a-z]\d$",
    r"^\d{3}[- ]\d{2,4}$",
    r"^\d{4} ?[A-Z]{2}$",
    r"^[A-Z]{1,3}-?\d{4,6}$",
    r"^\d{2}-\d{3}$",
    r"^\d{5}-\d{3}$",
)
"""Postal codes: most of the world, United States, Britain, Canada, Japan and Sweden, the
Netherlands, countries that set their letters before, Poland, Brazil."""
ZIP = "|".join(f"(?:{pattern})" for pattern in ZIPS)
CARD = r"^(?:\d{4}[ -]){3}\d{1,7}$|^\d{13,19}$"
HEXADECIMAL = r"(?i)^(?:0x)?[0-9a-f]{16,128}$"
CODE = r"^#?(?:[\p{L}\p{N}]+[-_./#:+]?)*$"
"""One word of letters, digits and single signs between them."""

FORMS = {
    "email": f"(?:{EMAIL})|(?:{ADDRESSED})",
    "url": f"(?:{URL})|(?:{DOMAIN})",
    "ip": IP,
    "uuid": UUID,
    "phone_number": PHONE,
    "zip_code": ZIP,
}
"""How a value of a kind has to look, for what tells the kinds and for what mends them."""

CURRENCY_SIGNS = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "Rs": "INR",
    "Rs.": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₦": "NGN", "₫": "VND",
    "฿": "THB", "₪": "ILS", "元": "CNY", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD",
    "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "R$": "BRL", "zł": "PLN", "kr": "SEK", "kr.": "DKK",
    "Kč": "CZK", "Ft": "HUF", "Fr.": "CHF", "lei": "RON", "₱": "PHP", "₡": "CRC", "₸": "KZT",
}  # fmt: skip
"""What amounts carry, and the ISO 4217 code that it usually means."""
CURRENCY_CODES = word_set(
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HRK HUF IDR ILS INR ISK "
    "JPY KES KRW KZT MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB "
    "TRY TWD UAH USD UYU VND ZAR"
)
_MARKS = sorted([*CURRENCY_SIGNS, *CURRENCY_CODES], key=lambda mark: (-len(mark), mark))
_MARK = "|".join(map(re.escape, _MARKS))
CURRENCY_MARK = rf"(?i:{_MARK})"

COUNTRIES = word_set(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO "
    "BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ "
    "DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP "
    "GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG "
    "KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML "
    "MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE "
    "PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL "
    "SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM "
    "US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW EU UK"
)
"""ISO 3166-1 alpha-2, and EU, UK and XK, which people write."""
COUNTRIES_OF_THREE = word_set(
    "ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA "
    "BGD BGR BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN "
    "CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU "
    "EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB "
    "GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL "
    "ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO "
    "LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR "
    "MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER "
    "PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM "
    "SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK "
    "TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM "
    "VUT WLF WSM YEM ZAF ZMB ZWE"
)
LANGUAGES = word_set(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu "
    "cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi "
    "ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks "
    "ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl "
    "nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl "
    "sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve "
    "vi vo wa wo xh yi yo za zh zu"
)
"""ISO 639-1."""

TRUTHS = (
    ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("1", "0"),
    ("1.0", "0.0"), ("ja", "nein"), ("oui", "non"), ("si", "no"), ("sí", "no"), ("да", "нет"),
)  # fmt: skip
"""What means yes and no, in lower case."""

NOTHING = word_set(
    "n/a #n/a n.a. n.a <na> #na na null (null) <null> [null] nan -nan none nil \\n #null! #value! "
    "#ref! #div/0! #name? #num! n/d n.d. s/d k.a. undefined (none) (empty) <none> (blank) nat"
) | {"not available", "not applicable"}
"""Texts that stand for no value, in lower case, whatever else the column holds."""
MARKS = frozenset({"-", "--", "---", "?", "??", ".", "..", "...", "_", "*", "\\", "/", "—", "–"})
"""Signs that stand for no value where the others are not such signs."""
PERHAPS_NOTHING = frozenset(
    {"unknown", "missing", "tbd", "tba", "not known", "not specified", "unspecified", "not given"}
)
"""Words that stand for no value among numbers, dates and addresses; among words they are one."""
UNMISTAKABLE = NOTHING - {"na", "none", "nil", "null", "undefined", "nat", "nan"}
"""What cannot be a name or a word of a text: null is a surname, NA is Namibia."""
SENTINELS = (-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999, -1.0e30)
"""Numbers that stand for no value where they lie far from all others."""
