// step-ca without its command line: the authority of a configuration, until it is killed.
package main

import (
	"log"
	"os"

	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"
)

func main() {
	configuration, err := config.LoadConfiguration(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	authority, err := ca.New(configuration, ca.WithConfigFile(os.Args[1]), ca.WithQuiet(true))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(authority.Run())
}
