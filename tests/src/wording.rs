//! Removes what other libraries say from the text of an error, so that an update of theirs changes
//! no snapshot.

/// Returns an error's text with what the JSON library says of a body replaced by `…`.
pub fn without_json_library(text: &str) -> String {
    // `… at `tests[0].status`: invalid type: …; advice`
    let place = text.find(" at `").and_then(|start| {
        let end = text[start..].find("`: ")?;
        Some(start + end + "`: ".len())
    });
    if let Some(start) = place {
        let advice = text[start..]
            .find("; ")
            .map_or("", |end| &text[start + end..]);
        return format!("{}…{advice}", &text[..start]);
    }
    // `… (expected value at line 1 column 1); advice`
    let cause = text.find(" at line ").and_then(|position| {
        let start = text[..position].rfind(" (")?;
        let end = text[position..].find(')')?;
        Some((start, position + end + 1))
    });
    match cause {
        Some((start, end)) => format!("{} (…){}", &text[..start], &text[end..]),
        None => text.to_owned(),
    }
}
