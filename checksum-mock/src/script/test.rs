//! How one test of a run ends.

/// Describes one test of a run.
///
/// Default: it passes, has no tags, and is in the file `checksum/tests/scripted.spec.ts`.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestScript {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) file: String,
    pub(crate) tags: Vec<String>,
    pub(crate) status: String,
    /// The error message, shown only if the test fails.
    pub(crate) message: String,
}

impl TestScript {
    /// Describes a test that passes, with the title `Test ID`.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            title: format!("Test {id}"),
            file: "checksum/tests/scripted.spec.ts".to_owned(),
            tags: Vec::new(),
            status: "passed".to_owned(),
            message: "Timeout of 30000ms exceeded".to_owned(),
            id,
        }
    }

    /// Sets the title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the path of its test file.
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = file.into();
        self
    }

    /// Sets the tags.
    pub fn tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the status that it ends with: `passed`, `failed`, `recovered`, `bug` or any other.
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = status.into();
        self
    }

    /// Makes it fail with this error message.
    pub fn fails(self, message: impl Into<String>) -> Self {
        self.message(message).status("failed")
    }

    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.status == "failed"
    }

    /// Returns about how many bytes it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            &self.id,
            &self.title,
            &self.file,
            &self.status,
            &self.message,
        ];
        let texts = texts.into_iter().chain(&self.tags);
        let texts = texts.map(|text| size_of::<String>() + text.len());
        size_of::<Self>() + texts.sum::<usize>()
    }
}
