import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;

/** Lets in whoever knows the one password of the tests. */
public class OnePassword implements PasswdAuthenticationProvider {
  @Override
  public void Authenticate(String user, String password) throws AuthenticationException {
    if (!user.equals("etl") || !password.equals("p@ss/w%rd")) throw new AuthenticationException("not this one");
  }
}
