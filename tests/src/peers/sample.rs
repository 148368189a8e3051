//! One series of a query's answer; Prometheus and VictoriaMetrics answer alike.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;

/// A series and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The labels, `__name__` among them where the query kept it.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// The value of a label, empty where it is absent, as in the query language.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar((f64, String)),
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// Asks `{base}/api/v1/query` for the present value of an expression.
pub(super) async fn query(
    base: &str,
    expr: &str,
    more: &[(&str, &str)],
) -> anyhow::Result<Vec<Sample>> {
    let mut url = reqwest::Url::parse(base)
        .context("address of the peer")?
        .join("/api/v1/query")
        .context("path")?;
    url.query_pairs_mut()
        .append_pair("query", expr)
        .extend_pairs(more);
    let text = crate::http_client()
        .get(url)
        .send()
        .await
        .context("query")?
        .text()
        .await
        .context("read the answer")?;
    parse(&text).with_context(|| format!("query {expr:?}"))
}

fn parse(text: &str) -> anyhow::Result<Vec<Sample>> {
    let answer: Answer =
        serde_json::from_str(text).with_context(|| format!("unexpected answer {text:?}"))?;
    let Some(data) = answer.data.filter(|_| answer.status == "success") else {
        bail!("refused: {}", answer.error);
    };
    let series = match data {
        Data::Vector(series) => series,
        Data::Scalar(value) => vec![Series {
            metric: BTreeMap::new(),
            value,
        }],
    };
    series.into_iter().map(sample).collect()
}

fn sample(series: Series) -> anyhow::Result<Sample> {
    let value = series.value.1;
    // The API writes `+Inf` and `NaN`, both of which Rust reads.
    let value = value.parse().with_context(|| format!("value {value:?}"))?;
    Ok(Sample {
        labels: series.metric,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_and_scalar_answers_are_read() {
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"up","job":"a"},"value":[1.5,"1"]},{"metric":{},"value":[1.5,"+Inf"]}]}}"#;
        let samples = parse(vector).expect("well-formed");
        assert_eq!(
            (
                samples[0].label("job"),
                samples[0].label("absent"),
                samples[0].value
            ),
            ("a", "", 1.0)
        );
        assert_eq!(samples[1].value, f64::INFINITY);
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"2"]}}"#;
        assert_eq!(parse(scalar).expect("well-formed")[0].value, 2.0);
    }

    #[test]
    fn refused_query_carries_the_reason() {
        let refused = r#"{"status":"error","errorType":"bad_data","error":"unknown function"}"#;
        assert_eq!(
            parse(refused).expect_err("refused").to_string(),
            "refused: unknown function"
        );
    }
}
