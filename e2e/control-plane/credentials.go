package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/keyutil"
)

// identity is a user that the API server knows by a static token.
type identity struct {
	user   string
	groups string
	// kubeconfig is the file that this user's clients read.
	kubeconfig string
}

var (
	adminUser       = identity{user: "admin", groups: "system:masters", kubeconfig: "admin.kubeconfig"}
	controllersUser = identity{user: "system:kube-controller-manager", kubeconfig: "controllers.kubeconfig"}
	schedulerUser   = identity{user: "system:kube-scheduler", kubeconfig: "scheduler.kubeconfig"}
	allIdentities   = []identity{adminUser, controllersUser, schedulerUser}
)

// credentials are the files by which the components trust each other. They are
// kept in the data directory: a control plane that is started again there is
// the same one to its clients.
type credentials struct {
	dir string
	// tokens by user.
	tokens map[string]string
}

// prepareCredentials reads what an earlier start left in dir, or makes it.
func prepareCredentials(dir string) (*credentials, error) {
	c := &credentials{dir: dir}
	if err := c.prepareTokens(); err != nil {
		return nil, fmt.Errorf("token file %s: %w", c.tokenFile(), err)
	}
	if err := c.prepareServiceAccountKey(); err != nil {
		return nil, fmt.Errorf("service account key %s: %w", c.serviceAccountKeyFile(), err)
	}
	return c, nil
}

func (c *credentials) tokenFile() string             { return filepath.Join(c.dir, "tokens.csv") }
func (c *credentials) serviceAccountKeyFile() string { return filepath.Join(c.dir, "sa.key") }

// certificateDir is where the API server puts the pair that it signs itself.
func (c *credentials) certificateDir() string { return filepath.Join(c.dir, "apiserver") }

// authorityFile is that pair's certificate. Being self-signed it is also the
// authority that clients check it against, so there is no PKI to keep.
func (c *credentials) authorityFile() string {
	return filepath.Join(c.certificateDir(), "apiserver.crt")
}

func (c *credentials) kubeconfigFile(who identity) string {
	return filepath.Join(c.dir, who.kubeconfig)
}

func (c *credentials) prepareTokens() error {
	c.tokens = map[string]string{}
	file, err := os.Open(c.tokenFile())
	if errors.Is(err, os.ErrNotExist) {
		return c.makeTokens()
	}
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return err
	}
	for _, row := range rows {
		c.tokens[row[1]] = row[0]
	}
	for _, who := range allIdentities {
		if c.tokens[who.user] == "" {
			return fmt.Errorf("no token for %s; start in an empty --dir instead", who.user)
		}
	}
	return nil
}

func (c *credentials) makeTokens() error {
	file, err := os.OpenFile(c.tokenFile(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	rows := csv.NewWriter(file)
	for _, who := range allIdentities {
		c.tokens[who.user] = rand.Text()
		// The column after the user is the uid, for which the name will do.
		if err := rows.Write([]string{c.tokens[who.user], who.user, who.user, who.groups}); err != nil {
			return err
		}
	}
	rows.Flush()
	return rows.Error()
}

// prepareServiceAccountKey makes the key that signs service account tokens. An
// elliptic one: it takes no noticeable time, where RSA can take a second.
func (c *credentials) prepareServiceAccountKey() error {
	if _, err := os.Stat(c.serviceAccountKeyFile()); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	pem, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return os.WriteFile(c.serviceAccountKeyFile(), pem, 0o600)
}

// writeKubeconfigs writes one kubeconfig per identity. The authority's path in
// it is absolute because clients resolve a relative one against the folder that
// the kubeconfig lies in.
func (c *credentials) writeKubeconfigs(url string) error {
	for _, who := range allIdentities {
		config := api.NewConfig()
		config.Clusters["sluice"] = &api.Cluster{Server: url, CertificateAuthority: c.authorityFile()}
		config.AuthInfos[who.user] = &api.AuthInfo{Token: c.tokens[who.user]}
		config.Contexts["sluice"] = &api.Context{Cluster: "sluice", AuthInfo: who.user}
		config.CurrentContext = "sluice"
		if err := clientcmd.WriteToFile(*config, c.kubeconfigFile(who)); err != nil {
			return fmt.Errorf("write kubeconfig %s: %w", c.kubeconfigFile(who), err)
		}
	}
	return nil
}
