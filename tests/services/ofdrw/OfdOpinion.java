import java.nio.file.Path;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Sequence;
import org.ofdrw.core.signatures.SigType;
import org.ofdrw.reader.OFDReader;
import org.ofdrw.sign.verify.OFDValidator;
import org.ofdrw.sign.verify.SignedDataValidateContainer;
import org.ofdrw.sign.verify.container.GBT35275ValidateContainer;
import org.ofdrw.sign.verify.container.SESV1ValidateContainer;
import org.ofdrw.sign.verify.container.SESV4ValidateContainer;

/** Asks ofdrw about each file named: one line of "ok", or of "no" and why. */
public final class OfdOpinion {
    public static void main(String[] names) {
        for (String name : names) {
            System.out.println(opinion(Path.of(name)));
        }
    }

    private static String opinion(Path file) {
        try (OFDReader reader = new OFDReader(file); OFDValidator validator = new OFDValidator(reader)) {
            validator.setValidator(
                (type, algorithm, message, value) ->
                    judge(type, value).validate(type, algorithm, message, value));
            validator.exeValidate();
            return "ok";
        } catch (Exception refusal) {
            return "no " + refusal;
        }
    }

    private static SignedDataValidateContainer judge(SigType type, byte[] value) {
        if (type == SigType.Sign) {
            return new GBT35275ValidateContainer();
        }
        ASN1Sequence signed = (ASN1Sequence) ASN1Sequence.getInstance(value).getObjectAt(0);
        int version = ((ASN1Integer) signed.getObjectAt(0)).intValueExact();
        return version < 4 ? new SESV1ValidateContainer() : new SESV4ValidateContainer();
    }
}
