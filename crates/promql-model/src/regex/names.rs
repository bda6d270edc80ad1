//! The names of character classes: POSIX classes, Unicode categories and scripts.
//!
//! Scripts and categories are those of Go's `unicode` package at Unicode 17.0, whose spelling is
//! exact: `\p{Greek}` is one, `\p{greek}` and `\p{Letter}` are not.

/// A class of ASCII characters with a name, in ranges.
pub(super) type AsciiClass = &'static [(u8, u8)];

const DIGIT: AsciiClass = &[(b'0', b'9')];
const SPACE: AsciiClass = &[(b'\t', b'\r'), (b' ', b' ')];
const PERL_SPACE: AsciiClass = &[(b'\t', b'\n'), (0x0c, b'\r'), (b' ', b' ')];
const WORD: AsciiClass = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];

/// The class of an escape like `\d`; `\D` is the same class, negated.
pub(super) fn perl_class(lower_case_letter: u8) -> Option<AsciiClass> {
    match lower_case_letter {
        b'd' => Some(DIGIT),
        b's' => Some(PERL_SPACE),
        b'w' => Some(WORD),
        _ => None,
    }
}

/// The class of a name like the `alpha` of `[:alpha:]`.
pub(super) fn posix_class(name: &[u8]) -> Option<AsciiClass> {
    Some(match name {
        b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        b"ascii" => &[(0x00, 0x7f)],
        b"blank" => &[(b'\t', b'\t'), (b' ', b' ')],
        b"cntrl" => &[(0x00, 0x1f), (0x7f, 0x7f)],
        b"digit" => DIGIT,
        b"graph" => &[(b'!', b'~')],
        b"lower" => &[(b'a', b'z')],
        b"print" => &[(b' ', b'~')],
        b"punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        b"space" => SPACE,
        b"upper" => &[(b'A', b'Z')],
        b"word" => WORD,
        b"xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    })
}

/// Whether `\p{name}` is a class.
pub(super) fn is_unicode_class(name: &str) -> bool {
    CATEGORIES.contains(&name) || SCRIPTS.binary_search(&name).is_ok()
}

/// The ranges of scripts that `regex-syntax`, which is at Unicode 16.0, doesn't know.
pub(super) fn newer_script(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "Beria_Erfe" => &[('\u{16ea0}', '\u{16eb8}'), ('\u{16ebb}', '\u{16ed3}')],
        "Sidetic" => &[('\u{10940}', '\u{10959}')],
        "Tai_Yo" => {
            &[('\u{1e6c0}', '\u{1e6de}'), ('\u{1e6e0}', '\u{1e6f5}'), ('\u{1e6fe}', '\u{1e6ff}')]
        }
        "Tolong_Siki" => &[('\u{11db0}', '\u{11ddb}'), ('\u{11de0}', '\u{11de9}')],
        _ => return None,
    })
}

/// General categories, and `Any` for all characters.
#[rustfmt::skip]
pub(super) const CATEGORIES: &[&str] = &[
    "L", "Lu", "Ll", "N", "Nd", "P", "S", "Z", "M", "C",
    "Any", "Cc", "Cf", "Cn", "Co", "Cs", "LC", "Lm", "Lo", "Lt", "Mc", "Me", "Mn", "Nl", "No", "Pc", "Pd", "Pe",
    "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs",
];

/// Scripts, sorted.
#[rustfmt::skip]
pub(super) const SCRIPTS: &[&str] = &[
    "Adlam", "Ahom", "Anatolian_Hieroglyphs", "Arabic", "Armenian", "Avestan", "Balinese", "Bamum",
    "Bassa_Vah", "Batak", "Bengali", "Beria_Erfe", "Bhaiksuki", "Bopomofo", "Brahmi", "Braille",
    "Buginese", "Buhid", "Canadian_Aboriginal", "Carian", "Caucasian_Albanian", "Chakma", "Cham",
    "Cherokee", "Chorasmian", "Common", "Coptic", "Cuneiform", "Cypriot", "Cypro_Minoan",
    "Cyrillic", "Deseret", "Devanagari", "Dives_Akuru", "Dogra", "Duployan", "Egyptian_Hieroglyphs",
    "Elbasan", "Elymaic", "Ethiopic", "Garay", "Georgian", "Glagolitic", "Gothic", "Grantha",
    "Greek", "Gujarati", "Gunjala_Gondi", "Gurmukhi", "Gurung_Khema", "Han", "Hangul",
    "Hanifi_Rohingya", "Hanunoo", "Hatran", "Hebrew", "Hiragana", "Imperial_Aramaic", "Inherited",
    "Inscriptional_Pahlavi", "Inscriptional_Parthian", "Javanese", "Kaithi", "Kannada", "Katakana",
    "Kawi", "Kayah_Li", "Kharoshthi", "Khitan_Small_Script", "Khmer", "Khojki", "Khudawadi",
    "Kirat_Rai", "Lao", "Latin", "Lepcha", "Limbu", "Linear_A", "Linear_B", "Lisu", "Lycian",
    "Lydian", "Mahajani", "Makasar", "Malayalam", "Mandaic", "Manichaean", "Marchen",
    "Masaram_Gondi", "Medefaidrin", "Meetei_Mayek", "Mende_Kikakui", "Meroitic_Cursive",
    "Meroitic_Hieroglyphs", "Miao", "Modi", "Mongolian", "Mro", "Multani", "Myanmar", "Nabataean",
    "Nag_Mundari", "Nandinagari", "New_Tai_Lue", "Newa", "Nko", "Nushu", "Nyiakeng_Puachue_Hmong",
    "Ogham", "Ol_Chiki", "Ol_Onal", "Old_Hungarian", "Old_Italic", "Old_North_Arabian",
    "Old_Permic", "Old_Persian", "Old_Sogdian", "Old_South_Arabian", "Old_Turkic", "Old_Uyghur",
    "Oriya", "Osage", "Osmanya", "Pahawh_Hmong", "Palmyrene", "Pau_Cin_Hau", "Phags_Pa",
    "Phoenician", "Psalter_Pahlavi", "Rejang", "Runic", "Samaritan", "Saurashtra", "Sharada",
    "Shavian", "Siddham", "Sidetic", "SignWriting", "Sinhala", "Sogdian", "Sora_Sompeng", "Soyombo",
    "Sundanese", "Sunuwar", "Syloti_Nagri", "Syriac", "Tagalog", "Tagbanwa", "Tai_Le", "Tai_Tham",
    "Tai_Viet", "Tai_Yo", "Takri", "Tamil", "Tangsa", "Tangut", "Telugu", "Thaana", "Thai",
    "Tibetan", "Tifinagh", "Tirhuta", "Todhri", "Tolong_Siki", "Toto", "Tulu_Tigalari", "Ugaritic",
    "Vai", "Vithkuqi", "Wancho", "Warang_Citi", "Yezidi", "Yi", "Zanabazar_Square",
];
