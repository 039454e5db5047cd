package govsecops.tests;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.pattern.PatternCaptureGroupTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * The analysis parts that the security index is declared with.
 *
 * <p>A full distribution has them in its module analysis-common, which is not on Maven Central;
 * without them no API key can be stored. They are Lucene's own classes under the known names.
 */
public final class SecurityIndexAnalysis extends Plugin implements AnalysisPlugin {

  private record Step(String name, UnaryOperator<TokenStream> wrap) implements TokenFilterFactory {
    @Override
    public TokenStream create(TokenStream input) {
      return wrap.apply(input);
    }
  }

  @Override
  public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
    Map<String, AnalysisProvider<TokenFilterFactory>> filters = new LinkedHashMap<>();
    filters.put("asciifolding", (index, node, name, given) -> new Step(name, ASCIIFoldingFilter::new));
    filters.put("unique", (index, node, name, given) -> new Step(name, RemoveDuplicatesTokenFilter::new));
    filters.put(
        "pattern_capture",
        AnalysisPlugin.requiresAnalysisSettings(
            (index, node, name, given) -> {
              boolean keeps = given.getAsBoolean("preserve_original", true);
              Pattern[] patterns =
                  given.getAsList("patterns").stream().map(Pattern::compile).toArray(Pattern[]::new);
              return new Step(name, in -> new PatternCaptureGroupTokenFilter(in, keeps, patterns));
            }));
    return filters;
  }

  @Override
  public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
    return Map.of(
        "uax_url_email",
        (index, node, name, given) -> TokenizerFactory.newFactory(name, UAX29URLEmailTokenizer::new));
  }
}
