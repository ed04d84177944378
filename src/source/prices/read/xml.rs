//! EC2's XML, as far as it is needed: elements with their path and their own text.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use std::fmt::Display;

/// The deepest nesting that is followed; EC2's answers have five levels.
const DEEPEST: usize = 32;
/// The longest text of one element; the longest that EC2 sends is a continuation token of some hundred bytes.
const LONGEST: usize = 16 * 1024;

/// Shows every element, at its end: the names from the root down to it, and the text right inside it, unescaped.
///
/// Document types are not followed, so an entity can mean nothing but a character.
pub(super) fn walk(body: &[u8], mut see: impl FnMut(&[String], &str)) -> Result<(), String> {
    fn say(why: &impl Display) -> String {
        why.to_string()
    }
    let mut reader = Reader::from_reader(body);
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut rooted = false;
    loop {
        let event = reader.read_event().map_err(|why| say(&why))?;
        let more = match &event {
            Event::Start(start) => {
                if path.len() == DEEPEST || (path.is_empty() && rooted) {
                    return Err("elements where none may be".to_owned());
                }
                rooted = true;
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                texts.push(String::new());
                continue;
            }
            Event::End(_) => {
                see(&path, &texts.pop().unwrap_or_default());
                path.pop();
                continue;
            }
            Event::Eof if rooted && path.is_empty() => return Ok(()),
            Event::Eof => return Err("it ends before its root does".to_owned()),
            Event::Text(text) => text.xml_content().map_err(|why| say(&why))?,
            Event::CData(text) => text.xml_content().map_err(|why| say(&why))?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|why| say(&why))? {
                Some(character) => character.to_string().into(),
                None => {
                    let name = reference.decode().map_err(|why| say(&why))?;
                    resolve_predefined_entity(&name).unwrap_or("").into()
                }
            },
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
        };
        if let Some(text) = texts.last_mut() {
            if text.len() + more.len() > LONGEST {
                return Err("a text longer than any that was expected".to_owned());
            }
            text.push_str(&more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("<a/>" => "a=")]
    #[test_case("<?xml version=\"1.0\"?><!-- c --><a> x <b>1</b><c/>y</a>" => "a/b=1 a/c= a= x y")]
    #[test_case("<n:a xmlns:n=\"u\"><n:b>1</n:b></n:a>" => "a/b=1 a=" ; "prefixes are not names")]
    #[test_case("<a>x&amp;y&lt;&#65;&#x42;<![CDATA[<&]]></a>" => "a=x&y<AB<&")]
    #[test_case("<!DOCTYPE a [<!ENTITY e \"boom\">]><a>x&e;y</a>" => "a=xy" ; "an entity of the document's own")]
    fn elements_are_seen(text: &str) -> String {
        let mut seen = Vec::new();
        walk(text.as_bytes(), |path, text| seen.push(format!("{}={text}", path.join("/")))).unwrap();
        seen.join(" ")
    }

    #[test_case("" ; "nothing")]
    #[test_case("{}" ; "json")]
    #[test_case("<a>" ; "not ended")]
    #[test_case("<a></b>" ; "ended as another")]
    #[test_case("<a/><b/>" ; "two roots")]
    #[test_case("<a>&#xd800;</a>" ; "no character")]
    fn other_text_is_refused(text: &str) {
        assert!(walk(text.as_bytes(), |_, _| ()).is_err());
    }

    #[test]
    fn size_has_limits() {
        assert!(walk("<a>".repeat(40).as_bytes(), |_, _| ()).is_err());
        assert!(walk(format!("<a>{}</a>", "x".repeat(20_000)).as_bytes(), |_, _| ()).is_err());
        assert!(walk(&[b'<', b'a', b'>', 0xff, b'<', b'/', b'a', b'>'], |_, _| ()).is_err(), "no UTF-8");
    }
}
